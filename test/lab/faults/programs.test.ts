/** The programs that a fix runs fail, hang, are killed, print garbage or are not there. */
import { expect, it } from 'vitest';
import { expectDocumented } from './fault-table.ts';
import { afterItsWork, always, atCall } from './tool-faults.ts';
import { tryAll } from './try-all.ts';
import { tryFault } from './try-fault.ts';

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
];

it('whatever program fails, the node is as before or repaired, and what is said of it is true', async () => {
  const rows = await tryAll(faults, tryFault);
  expect(rows).toHaveLength(faults.length);
  expectDocumented('programs', rows);
}, 240_000);
