import { expect, test } from 'vitest';
import { compareProbes } from '../../../src/engine/confirm/compare-probes.ts';

const up = { probe: 'api', passed: true, detail: 'it answers' } as const;
const down = { probe: 'api', passed: false, detail: 'it is silent' } as const;
const ssh = { probe: 'ssh', passed: true, detail: 'open', mayLose: ['iptables-nft filter INPUT'] } as const;

test('what passed before and does not now is a line each', () => {
  expect(compareProbes([up, ssh], [down, ssh])).toEqual(['api: it is silent; before: it answers']);
  expect(compareProbes([up], [])).toEqual(['api: not looked at again']);
});

test('what did not pass before cannot fail', () => {
  expect(compareProbes([down], [down])).toEqual([]);
  expect(compareProbes([down], [])).toEqual([]);
  expect(compareProbes([], [down])).toEqual([]);
});

test('rules that may lose a connection now, and could not before, count', () => {
  const legacyToo = { ...ssh, mayLose: [...ssh.mayLose, 'iptables-legacy nat PREROUTING'] };
  expect(compareProbes([ssh], [legacyToo])).toEqual([
    'ssh: iptables-legacy nat PREROUTING may lose new connections, which it could not before',
  ]);
  expect(compareProbes([legacyToo], [ssh])).toEqual([]);
});
