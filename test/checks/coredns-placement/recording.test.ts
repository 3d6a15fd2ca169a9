import { expect, test } from 'vitest';
import { corednsPlacement } from '../../../src/checks/coredns-placement/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import type { RecordingInput } from '../../../src/host/recording-format.ts';
import { editedRecording } from '../../facts/edited-recording.ts';
import { onWorker, service } from './two-nodes.ts';

/** All facts are the real ones, of the recorded host; only what DNS servers said to it is made up. */
async function diagnose(host: Partial<RecordingInput>) {
  const recorded = await editedRecording('coredns-on-unreachable-node', { host });
  return corednsPlacement.run(createFactContext(recorded, defaultConfig()));
}

const protocols = ['udp', 'tcp'] as const;
const silence = [onWorker, service].flatMap((server) =>
  protocols.map((protocol) => ({ server, protocol, timedOut: true as const })),
);

test('the recorded host, whose CoreDNS does not answer', async () => {
  const { outcome, reasons, findings, plan } = await diagnose({ dns: silence });
  expect({ outcome, reasons }).toEqual({ outcome: 'findings', reasons: [] });
  // That a second replica would be better is told when it is reached again.
  expect(findings.map(({ code, remedy }) => `${code}: ${remedy.kind}`)).toEqual([
    'coredns-unreachable: planned',
  ]);
  expect(plan(() => true).steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait']);
});

test('the recorded host, whose CoreDNS answers', async () => {
  const dns = silence.map(({ server, protocol }) => ({ server, protocol, code: 'NOERROR' }));
  const { findings } = await diagnose({ dns });
  expect(findings.map(({ code }) => code)).toEqual(['coredns-off-policy', 'coredns-single']);
});

test('without k3s and without a cluster no DNS server is asked', async () => {
  const recorded = await editedRecording('coredns-on-unreachable-node', {
    host: { processes: [], kube: [] },
  });
  let asked = 0;
  const host = {
    ...recorded,
    askDns(...question: Parameters<typeof recorded.askDns>) {
      asked += 1;
      return recorded.askDns(...question);
    },
  };
  const found = await corednsPlacement.run(createFactContext(host, defaultConfig()));
  expect(found).toMatchObject({ outcome: 'skipped', findings: [] });
  expect(asked).toBe(0);
});
