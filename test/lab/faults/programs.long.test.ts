/** The same faults where the ghosts are in nft, and the live rules in legacy. */
import { expect, it } from 'vitest';
import { expectDocumented } from './fault-table.ts';
import { afterItsWork, always, atCall } from './tool-faults.ts';
import { tryAll } from './try-all.ts';
import { tryFault } from './try-fault.ts';

const faults = [
  // Without that program nobody is taken to write to nft.
  ...always('iptables-nft-save', 'facts: rules of the ghosts', [
    'fails',
    'hangs',
    'is killed',
    'prints garbage',
  ]),
  ...always('iptables-legacy-save', 'facts: rules of now'),
  ...always('ip6tables-nft-save', 'facts: rules of IPv6'),
  ...always('nft', 'facts: other tables'),
  ...always('crictl', 'facts: sandboxes'),
  ...always('conntrack', 'facts and end of connections'),
  ...atCall('iptables-nft-save', 'look before the first write', { words: '-t', nth: '1' }),
  ...atCall('iptables-nft-save', 'look after the first write', { words: '-t', nth: '2' }),
  ...atCall('iptables-nft-save', 'look after the first write and ever after', { words: '-t', nth: '2+' }),
  ...atCall('iptables-nft-restore', 'first write', { words: '', nth: '1' }),
  ...afterItsWork('iptables-nft-restore', 'first write', { words: '', nth: '1' }),
  ...atCall('iptables-nft-restore', 'second write', { words: '', nth: '2' }),
  ...afterItsWork('iptables-nft-restore', 'second write', { words: '', nth: '2' }),
  ...atCall('iptables-nft-restore', 'second write and ever after', { words: '', nth: '2+' }),
  ...atCall('conntrack', 'end of stale connections', { words: '-D', nth: '1' }),
];

it('with the ghosts in nft, too, the node is as before or repaired', async () => {
  const rows = await tryAll(faults, tryFault, 'nft');
  expect(rows).toHaveLength(faults.length);
  expectDocumented('programs, nft', rows);
});
