import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listDirectory } from '../../src/host/list-directory.ts';
import { listProcesses } from '../../src/host/list-processes.ts';
import { localAddresses } from '../../src/host/local-addresses.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('a directory is listed by name, with the modification of the entry itself', () => {
  const folder = temporaryFolder();
  const modifiedAt = new Date('2026-01-02T03:04:05Z');
  writeFileSync(join(folder, '10.42.0.5'), '');
  utimesSync(join(folder, '10.42.0.5'), modifiedAt, modifiedAt);
  symlinkSync('nowhere', join(folder, '10.42.0.10'));
  const entries = listDirectory(folder);
  expect(entries?.map(({ name }) => name)).toEqual(['10.42.0.10', '10.42.0.5']);
  expect(entries?.[1]?.modifiedAt).toEqual(modifiedAt);
});

test('what cannot be listed is undefined, what is empty is not', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'empty'));
  expect(listDirectory(join(folder, 'none'))).toBeUndefined();
  expect(listDirectory(join(folder, 'file'))).toBeUndefined();
  expect(listDirectory(join(folder, 'empty'))).toEqual([]);
});

/** A folder in the form of /proc. */
function procWith(processes: Readonly<Record<string, { comm?: string; cmdline?: string }>>): string {
  const folder = temporaryFolder();
  for (const [pid, files] of Object.entries(processes)) {
    mkdirSync(join(folder, pid));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, pid, name), text);
  }
  return folder;
}

test('processes have their name and arguments, empty arguments included', () => {
  const proc = procWith({
    '10': { comm: 'k3s-server\n', cmdline: '/usr/local/bin/k3s\0server\0\0--flannel-backend=none\0' },
    '9': { comm: 'kthreadd\n', cmdline: '' },
    '12': { comm: 'nginx\n', cmdline: 'nginx: master process\0\0\0\0\0' },
    sys: { comm: 'not a process', cmdline: '' },
  });
  expect(listProcesses(proc)).toEqual([
    { pid: 9, name: 'kthreadd', args: [] },
    { pid: 10, name: 'k3s-server', args: ['/usr/local/bin/k3s', 'server', '', '--flannel-backend=none'] },
    { pid: 12, name: 'nginx', args: ['nginx: master process'] },
  ]);
});

test('a process that ends while it is looked at is left out', () => {
  const proc = procWith({
    '1': { comm: 'init\n', cmdline: '/sbin/init\0' },
    '2': {},
    '3': { comm: 'gone\n' },
  });
  expect(listProcesses(proc).map(({ pid }) => pid)).toEqual([1]);
});

test('own addresses are neither loopback nor link-local, in the order of the interfaces', () => {
  const rest = { netmask: '', mac: '', cidr: null };
  const v4 = (address: string, internal = false) => ({ ...rest, family: 'IPv4' as const, address, internal });
  const v6 = (address: string, internal = false) => {
    return { ...rest, family: 'IPv6' as const, address, internal, scopeid: 0 };
  };
  const interfaces = {
    lo: [v4('127.0.0.1', true), v6('::1', true)],
    eth0: [v4('203.0.113.7'), v6('2001:db8::7'), v6('fe80::1'), v6('FEBF::1')],
    usb0: [v4('169.254.3.4')],
    cni0: [v4('10.42.0.1'), v6('fd00::1')],
  };
  expect(localAddresses('ipv4', interfaces)).toEqual(['203.0.113.7', '10.42.0.1']);
  expect(localAddresses('ipv6', interfaces)).toEqual(['2001:db8::7', 'fd00::1']);
});
