import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sameNetworkAsInit } from '../../src/host/same-network-as-init.ts';
import { temporaryFolder } from './temporary-folder.ts';

test.each([
  ['net:[4026531840]', true],
  ['net:[4026532001]', false],
])('process 1 is in net:[4026531840] and this one in %s: %s', (own, same) => {
  const proc = procWith({ 1: 'net:[4026531840]', self: own });
  expect(sameNetworkAsInit(proc)).toBe(same);
});

test('who may not look cannot tell', () => {
  expect(sameNetworkAsInit(procWith({ self: 'net:[1]' }))).toBeUndefined();
});

function procWith(networks: Readonly<Record<string, string>>): string {
  const proc = temporaryFolder();
  for (const [process, network] of Object.entries(networks)) {
    mkdirSync(join(proc, process, 'ns'), { recursive: true });
    symlinkSync(network, join(proc, process, 'ns/net'));
  }
  return proc;
}
