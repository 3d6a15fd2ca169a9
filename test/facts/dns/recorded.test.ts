import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { createFactContext, type Fact } from '../../../src/engine/fact.ts';
import { candidatesFact } from '../../../src/facts/dns/candidates.ts';
import { clusterAnswersFact } from '../../../src/facts/dns/cluster-answers.ts';
import { coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { liveCorefileFact } from '../../../src/facts/dns/corefile.ts';
import { localCoreDnsFact } from '../../../src/facts/dns/local-coredns.ts';
import { packagedFact } from '../../../src/facts/dns/packaged.ts';
import { presenceFact } from '../../../src/facts/dns/presence.ts';
import { resolversFact } from '../../../src/facts/dns/resolvers.ts';
import { answers } from '../../../src/facts/dns/server-answer.ts';
import { upstreamAnswersFact } from '../../../src/facts/dns/upstream-answers.ts';
import { upstreamsFact } from '../../../src/facts/dns/upstreams.ts';
import type { Host } from '../../../src/host/host.ts';
import { recordingHost } from '../../../src/host/recording.ts';
import { replayingHost } from '../../../src/host/replaying.ts';
import { temporaryFolder } from '../../host/temporary-folder.ts';
import { type Edits, editedRecording } from '../edited-recording.ts';
import { answered, runsHere, silence } from './dns-node.ts';

const facts: readonly Fact<unknown>[] = [
  presenceFact,
  coreDnsFact,
  liveCorefileFact,
  resolversFact,
  localCoreDnsFact,
  packagedFact,
  upstreamsFact,
  upstreamAnswersFact,
  candidatesFact,
  clusterAnswersFact,
];

async function gatherAll(host: Host): Promise<Readonly<Record<string, unknown>>> {
  const context = createFactContext(host, defaultConfig());
  const gathered: Record<string, unknown> = {};
  for (const fact of facts) gathered[fact.id] = await context.get(fact);
  return gathered;
}

test('the recording as it is tells of the incident', async () => {
  const host = await editedRecording('coredns-on-unreachable-node');
  const context = createFactContext(host, defaultConfig());
  const { fromHost } = await context.get(upstreamAnswersFact);
  expect([...fromHost].map(([server, answer]) => `${server} ${answers(answer)}`)).toEqual([
    '8.8.8.8 false',
    '1.1.1.1 false',
    '127.0.0.53 true',
    '185.12.64.1 true',
    '185.12.64.2 true',
    '2a01:4ff:ff00::add:1 false',
  ]);
  const { candidates, publicAnswers } = await context.get(candidatesFact);
  expect(candidates.filter(({ answer }) => answers(answer)).map(({ server }) => server)).toEqual([
    '185.12.64.1',
    '185.12.64.2',
  ]);
  expect([publicAnswers.size, [...publicAnswers.values()].some(answers)]).toEqual([8, false]);
  const { cluster, world } = await context.get(clusterAnswersFact);
  expect([...cluster.values()].some(answers)).toBe(false);
  expect(world.size).toBe(0);
});

/** Where CoreDNS runs here, is reached, and gets nothing from its forwarders, and one resolver answers at the second try. */
function hurt(host: Host): Host {
  let count = 0;
  return {
    ...host,
    askDns: async (questions, process) =>
      questions.map(({ server, name }) => {
        if (name.endsWith('.cluster.local')) return answered();
        if (server === '185.12.64.2') return { kind: 'blocked', reason: 'connection refused' };
        if (server === '185.12.64.1' && process === undefined) {
          count += 1;
          return count < 3 ? silence : answered();
        }
        return silence;
      }),
  };
}

test.each<[string, Edits]>([
  ['where CoreDNS runs on another node', {}],
  ['where it runs here', runsHere],
])('what is recorded %s is replayed', async (_where, edits) => {
  const folder = temporaryFolder();
  const node = hurt(await editedRecording('coredns-on-unreachable-node', edits));
  const recording = await recordingHost(node, `${folder}/recording`);
  const recorded = await gatherAll(recording);
  await recording.finish();
  expect(await gatherAll(await replayingHost(`${folder}/recording`))).toEqual(recorded);
});
