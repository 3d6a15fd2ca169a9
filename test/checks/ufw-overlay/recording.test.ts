/** A whole node with real UFW, as it was recorded. */
import { expect, test } from 'vitest';
import { ufwOverlay } from '../../../src/checks/ufw-overlay/check.ts';
import { worldOpen } from '../../../src/checks/world-open/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Check } from '../../../src/engine/check.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import { type Edits, editedRecording } from '../../facts/edited-recording.ts';

async function findings(check: Check, edits: Edits = {}): Promise<readonly string[]> {
  const host = await editedRecording('k3s-ufw-denies-overlay', edits);
  const diagnosis = await check.run(createFactContext(host, defaultConfig()));
  return diagnosis.findings.map(({ subject, severity, remedy }) => `${subject} ${severity} ${remedy.kind}`);
}

test('what the other node needs and does not get', async () => {
  expect(await findings(ufwOverlay)).toEqual([
    '192.168.60.12 8472/udp error planned',
    'fd00:60::12 8472/udp error planned',
    '192.168.60.12 6443/tcp error planned',
  ]);
});

test('what is open to everybody', async () => {
  expect(await findings(worldOpen)).toEqual([
    '10250/tcp ipv4 eth0 info none',
    '10250/tcp ipv6 eth0 info none',
  ]);
});

test('once UFW has our rules', async () => {
  const allow = (chain: string, from: string, ports: readonly string[]) => (text: string) =>
    text.replace(
      /^COMMIT$/m,
      [...ports.map((port) => `[0:0] -A ${chain} -s ${from} ${port} -j ACCEPT`), 'COMMIT'].join('\n'),
    );
  const vxlan = '-p udp -m udp --dport 8472';
  const texts = {
    'iptables-nft-save.txt': allow('ufw-user-input', '192.168.60.12/32', [
      vxlan,
      '-p tcp -m tcp --dport 6443',
    ]),
    'ip6tables-nft-save.txt': allow('ufw6-user-input', 'fd00:60::12/128', [vxlan]),
    // What nft says of these tables must agree; without it the dumps count.
    'nft-list-table-ip-filter.json': () => '{"nftables": []}',
    'nft-list-table-ip6-filter.json': () => '{"nftables": []}',
  };
  expect(await findings(ufwOverlay, { texts })).toEqual([]);
});
