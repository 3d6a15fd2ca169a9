import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointHash, hostPortChainName, servicePortHash } from '../../src/netfilter/chain-names.ts';
import { recordedDumps } from './recorded-dumps.ts';

/** The one dump whose endpoints were changed by hand after it was recorded. */
const changedByHand = 'k3s-ufw-reject-with-legacy-ghosts/iptables-legacy-save.txt';

/** What a pattern with named groups finds in all recorded dumps, each find once. */
function found(pattern: RegExp): readonly Readonly<Record<string, string>>[] {
  const finds = recordedDumps()
    .filter(({ name }) => name !== changedByHand)
    .flatMap(({ text }) => [...text.matchAll(pattern)].map((match) => ({ ...match.groups })));
  return [...new Map(finds.map((find) => [JSON.stringify(find), find])).values()];
}

test.each([
  ['default/kubernetes:https', 'tcp', 'NPX46M4PTMTKRN6Y'],
  ['kube-system/kube-dns:dns', 'udp', 'TCOU7JCQXEZGVUNU'],
  ['kube-system/kube-dns:dns-tcp', 'tcp', 'ERIFXISQEP7F7OF4'],
  ['kube-system/kube-dns:metrics', 'tcp', 'JD5MR3NA4I4DYORP'],
])('the chains of %s/%s end in %s on every cluster', (servicePort, protocol, hash) => {
  expect(servicePortHash(servicePort, protocol)).toBe(hash);
});

test.each([
  ['default/kubernetes:https', 'tcp', '192.168.1.105:6443', 'B5VO6EBO7JWDMZQ2'],
  ['default/ytdl', 'tcp', '10.42.0.54:3000', '3OKKACDEVHSNJYBO'],
])('the endpoint chain of %s/%s at %s ends in %s', (servicePort, protocol, endpoint, hash) => {
  expect(endpointHash(servicePort, protocol, endpoint)).toBe(hash);
});

test.each([
  ['770c07dfd094fa98f07ed00c04920cc32b8f3be77d02d803b54b84cc1af77bb0', 'CNI-DN-2340674fa9a846ba6cee5'],
  ['b57a45acaad108d4e72d396cef6f9f2bf4a354b6aac7c93c9ac5812e35495d40', 'CNI-DN-98502136a6caa3b998bdb'],
  ['7f3c1a9e8d2b4c5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b', 'CNI-DN-3461354f5ab9facfdc5ae'],
])('the host ports of sandbox %s on cbr0 are in %s', (sandboxId, chain) => {
  expect(hostPortChainName('cbr0', sandboxId)).toBe(chain);
  expect(hostPortChainName('podman', sandboxId)).not.toBe(chain);
});

test('every recorded Service chain has the name that its rules say', () => {
  const rules = found(
    /^(?:\[\S+ )?-A KUBE-(?:SERVICES|NODEPORTS) .*-p (?<protocol>\w+) .*"(?<port>[^ "]+)(?: (?:cluster|external|loadbalancer) IP)?".* -j KUBE-(?:SVC|SVL|EXT|FW|XLB)-(?<hash>\S+)$/gm,
  );
  expect(rules.length).toBeGreaterThan(40);
  for (const { port = '', protocol = '', hash } of rules) expect(servicePortHash(port, protocol)).toBe(hash);
});

test('every recorded endpoint chain has the name that its rules say, in both families', () => {
  const rules = found(
    /^(?:\[\S+ )?-A KUBE-SEP-(?<hash>\S+) -p (?<protocol>\w+) .*--comment "(?<port>[^ "]+)".* --to-destination (?<endpoint>\S+)$/gm,
  );
  expect(rules.length).toBeGreaterThan(50);
  expect(rules.filter(({ endpoint }) => endpoint?.startsWith('['))).not.toEqual([]);
  for (const { port = '', protocol = '', endpoint = '', hash } of rules) {
    expect(endpointHash(port, protocol, endpoint)).toBe(hash);
  }
});

test('every recorded host port chain has the name that its rules say', () => {
  const rules = found(
    /"dnat name: \\"(?<network>[^"\\]+)\\" id: \\"(?<id>[^"\\]+)\\"".* -j (?<chain>CNI-DN-\S+)$/gm,
  );
  expect(rules.length).toBeGreaterThan(3);
  for (const { network = '', id = '', chain } of rules) expect(hostPortChainName(network, id)).toBe(chain);
});

test('a hash is the beginning of the digest in base32', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('tcp', 'udp', 'sctp'), (port, protocol) => {
      expect(bitsOf(servicePortHash(port, protocol))).toBe(digestBits(port + protocol).slice(0, 80));
    }),
  );
});

function bitsOf(base32: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...base32].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
}

function digestBits(text: string): string {
  return [...createHash('sha256').update(text).digest()]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
}
