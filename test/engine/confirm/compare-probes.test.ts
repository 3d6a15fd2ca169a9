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

test('who is shut out counts, though others may have been lost in the same place before', () => {
  const shut = { ...ssh, mayLose: [...ssh.mayLose, 'from 192.0.2.7: iptables-nft filter INPUT'] };
  expect(compareProbes([ssh], [shut])).toEqual([
    'ssh: from 192.0.2.7: iptables-nft filter INPUT may lose new connections, which it could not before',
  ]);
});

test('what could not be listed before is no news when it is listed', () => {
  const unlisted = { ...ssh, mayLose: ['nft', 'from 192.0.2.7: nft'] };
  const listed = { ...ssh, mayLose: ['nft inet mine input', 'from 192.0.2.7: nft inet mine input'] };
  expect(compareProbes([unlisted], [listed])).toEqual([]);
  expect(compareProbes([ssh], [listed])).toHaveLength(2);
});
