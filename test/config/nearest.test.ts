import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const ids = ['iptables-ghosts', 'forward-rules', 'dns-forwarders', 'certificates', 'nft'];

test.each([
  ['iptable-ghosts', 'iptables-ghosts'],
  ['iptables-ghost', 'iptables-ghosts'],
  ['IPTABLES-GHOSTS', 'iptables-ghosts'],
  ['iptables-ghsots', 'iptables-ghosts'],
  ['foward-rule', 'forward-rules'],
  ['certs', undefined],
  ['ntf', 'nft'],
  ['nfft', 'nft'],
  ['disk', undefined],
  ['', undefined],
])('%j was meant to be %j', (name, meant) => {
  expect(nearest(name, ids)).toBe(meant);
});

test('the nearest of several near ones wins, the first among equals', () => {
  expect(nearest('paths', ['path', 'paths', 'pathss'])).toBe('paths');
  expect(nearest('abcx', ['abcy', 'abcz'])).toBe('abcy');
});
