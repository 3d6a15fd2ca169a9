import { expect, test } from 'vitest';
import { nfTablesLoadedFact } from '../../src/facts/nf-tables.ts';
import { gather } from './observed-host.ts';

const release = { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' };
const builtin = {
  path: '/lib/modules/6.1.0/modules.builtin',
  text: 'kernel/net/netfilter/nf_conntrack.ko\n',
};
const others = { path: '/proc/modules', text: 'nf_tables_set 1 0 - Live 0x0\nip_tables 1 0 - Live 0x0\n' };

test.each([
  [
    'is loaded as a module',
    [{ path: '/proc/modules', text: 'x 1 0\nnf_tables 1 0 - Live 0x0\n' }, release, builtin],
    true,
  ],
  ['is built in', [others, release, { ...builtin, text: 'kernel/net/netfilter/nf_tables.ko\n' }], true],
  ['is in a kernel without modules', [{ path: '/proc/modules', text: '' }, release, builtin], true],
  ['is in a kernel that tells nothing', [], true],
  ['may be in a kernel whose release is not told', [others], true],
  ['may be in a kernel that does not list what is built in', [others, release], true],
  ['is not there', [others, release, builtin], false],
])('nf_tables %s', async (_where, files, loaded) => {
  const { value } = await gather(nfTablesLoadedFact, 'kube-proxy-legacy-then-nft', {
    edits: { host: { files } },
  });
  expect(value).toBe(loaded);
});
