/**
 * Runs on a lab node: gathers facts with the live host, recording it in the folder that is named, and
 * prints them as JSON, with the walks of the packets that come in.
 */
import { text } from 'node:stream/consumers';
import { defaultConfig } from '../../../src/config/config.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import { liveHost } from '../../../src/host/live.ts';
import { recordingHost } from '../../../src/host/recording.ts';
import { noCluster } from '../../host/no-cluster.ts';
import { readFacts } from './read-facts.ts';

const config = defaultConfig();
const live = liveHost({
  commands: {},
  paths: config.paths,
  kube: noCluster,
});
const host = await recordingHost(live, process.argv[2] ?? '');
const packets = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await readFacts(createFactContext(host, config), packets)));
await host.finish();
