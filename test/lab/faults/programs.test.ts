/** The programs that a fix runs fail, hang, are killed, print garbage or are not there. */
import { expect, it } from 'vitest';
import { expectDocumented } from './fault-table.ts';
import { afterItsWork, always, atCall } from './tool-faults.ts';
import { tryAll } from './try-all.ts';
import { type Fault, tryFault } from './try-fault.ts';

const faults = [
  ...always('flock', 'lock', ['fails', 'hangs', 'is killed', 'is absent']),
  ...always('iptables-legacy-save', 'facts: rules of the ghosts'),
  ...always('iptables-nft-save', 'facts: rules of now', ['fails', 'hangs', 'is absent']),
  ...always('crictl', 'facts: sandboxes', ['fails', 'hangs', 'is absent']),
  ...always('conntrack', 'facts and end of connections', ['fails', 'hangs', 'prints garbage', 'is absent']),
  ...atCall('iptables-legacy-save', 'look before the first write', { words: '-t', nth: '1' }),
  ...atCall('iptables-legacy-save', 'look after the first write', { words: '-t', nth: '2' }),
  ...atCall('iptables-legacy-save', 'look after the first write and ever after', {
    words: '-t',
    nth: '2+',
    ways: ['fails', 'prints garbage'],
  }),
  ...atCall('iptables-legacy-restore', 'first write', { words: '', nth: '1' }),
  ...afterItsWork('iptables-legacy-restore', 'first write', { words: '', nth: '1' }),
  ...atCall('iptables-legacy-restore', 'second write', { words: '', nth: '2', ways: ['fails', 'hangs'] }),
  ...atCall('iptables-legacy-restore', 'second write and ever after', {
    words: '',
    nth: '2+',
    ways: ['fails', 'is killed'],
  }),
  ...atCall('conntrack', 'end of stale connections', { words: '-D', nth: '1', ways: ['fails', 'hangs'] }),
  ...withSsh([
    ...always('k3s-doctor', 'watchdog and probes', ['is absent']),
    ...atCall('k3s-doctor', 'probes', {
      words: 'probe',
      nth: '1+',
      ways: ['fails', 'is killed', 'prints garbage'],
    }),
    ...afterItsWork('k3s-doctor', 'probes', { words: 'probe', nth: '1+', ways: ['fails', 'is killed'] }),
    ...atCall('k3s-doctor', 'watchdog', { words: 'undo', nth: '1+', ways: ['fails'] }),
    {
      where: 'probes',
      what: 'SSH cannot be reached after the first write',
      tools: { 'iptables-legacy-restore': 'real "$@"; code=$?; pkill -f "[s]erve-pod.ts ssh"; exit $code' },
    },
  ]),
];

function withSsh(list: readonly Fault[]): readonly Fault[] {
  return list.map((fault) => ({ ...fault, ssh: true }));
}

it('whatever program fails, the node is as before or repaired, and what is said of it is true', async () => {
  const rows = await tryAll(faults, tryFault);
  expect(rows).toHaveLength(faults.length);
  expectDocumented('programs', rows);
}, 240_000);
