import { expect, test } from 'vitest';
import { type Claim, claimKey, hostPortClaims, serviceClaims } from '../../src/netfilter/claims.ts';
import { readingOf, recordedDumps } from './recorded-dumps.ts';

interface Claims {
  readonly services: readonly Claim[];
  readonly hostPorts: readonly Claim[];
}

function natOf(name: string): Claims {
  return claimsIn(recordedDumps().find((dump) => dump.name === name)?.text ?? '');
}

function claimsIn(text: string): Claims {
  const reading = readingOf(text, 'nat');
  return { services: serviceClaims(reading), hostPorts: hostPortClaims(reading) };
}

function lines(claims: readonly Claim[]): readonly string[] {
  return claims
    .map((claim) => {
      const targets = claim.targets.map(({ address, port }) => `${address}/${port}`);
      return `${claimKey(claim)} ${claim.servicePort ?? '-'}: ${targets.join(' ')}`;
    })
    .sort();
}

test('cluster, external and load balancer addresses and node ports lead to the same endpoints', () => {
  expect(lines(natOf('kube-proxy-legacy-then-nft/iptables-legacy-save.txt').services)).toEqual([
    'tcp * 30080 default/web:http: 10.42.0.5/8080 10.42.0.6/8080',
    'tcp * 31925 default/lb:http: 10.42.0.7/8080',
    'tcp * 31986 default/lb:https: 10.42.0.7/8443',
    'tcp 10.43.0.1 443 default/kubernetes:https: 10.99.0.1/6443',
    'tcp 10.43.0.10 53 kube-system/dns:dns-tcp: 10.42.0.8/53',
    'tcp 10.43.0.80 80 default/web:http: 10.42.0.5/8080 10.42.0.6/8080',
    'tcp 10.43.0.81 80 default/sticky:http: 10.42.0.5/8080 10.42.0.6/8080 10.42.0.7/8080',
    'tcp 10.43.0.82 443 default/lb:https: 10.42.0.7/8443',
    'tcp 10.43.0.82 80 default/lb:http: 10.42.0.7/8080',
    'tcp 198.51.100.7 443 default/lb:https: 10.42.0.7/8443',
    'tcp 198.51.100.7 80 default/lb:http: 10.42.0.7/8080',
    'tcp 198.51.100.9 443 default/lb:https: 10.42.0.7/8443',
    'tcp 198.51.100.9 80 default/lb:http: 10.42.0.7/8080',
    'udp 10.43.0.10 53 kube-system/dns:dns: 10.42.0.8/53',
  ]);
});

test('before 1.24 load balancer chains lead there too', () => {
  const { services } = natOf('kube-proxy-1.22-legacy-then-1.34-nft/iptables-legacy-save.txt');
  const lb = services.filter(({ servicePort }) => servicePort === 'shop/lb-local:http');
  expect(lb.map(({ chain }) => chain.slice(0, -16)).sort()).toEqual(['KUBE-FW-', 'KUBE-SVC-', 'KUBE-XLB-']);
  for (const { targets } of lb) expect(targets).toContainEqual({ address: '10.42.1.25', port: 8080 });
});

test('IPv6 addresses are claimed as they are printed', () => {
  const { services } = natOf('kube-proxy-1.22-legacy-then-1.34-nft/ip6tables-legacy-save.txt');
  expect(lines(services)).toContain('tcp fd00:43::27 80 default/dual:http: fd00:42::146/8080');
});

test('endpoints without comments are found all the same', () => {
  const { services } = natOf('kube-proxy-1.36-nft-without-comments/iptables-nft-save.txt');
  expect(services.length).toBeGreaterThan(50);
  expect(services.filter(({ targets }) => targets.length === 0)).toEqual([]);
});

// Since 1.31 a rule in front of each node port's only counts what came over 127.0.0.0/8.
test('a rule that only counts what came over loopback claims no address of its own', () => {
  const { services } = natOf('kube-proxy-1.36-nft-without-comments/iptables-nft-save.txt');
  expect(services.filter(({ address }) => address?.startsWith('127.'))).toEqual([]);
});

// Up to 1.20 there are two rules for an external address, for other places of origin.
test('an address is claimed once by a Service, however many rules lead there', () => {
  const { services } = natOf('kube-proxy-1.19-legacy-then-1.34-nft/iptables-legacy-save.txt');
  const keys = services.map(claimKey);
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
});

test('each port of each sandbox is a claim', () => {
  const { hostPorts, services } = natOf('k3s-ufw-reject-with-legacy-ghosts/iptables-nft-save.txt');
  expect(lines(hostPorts)).toEqual([
    'tcp * 443 -: 10.42.0.31/8443',
    'tcp * 80 -: 10.42.0.31/8000',
    'udp * 53 -: 10.42.0.31/53',
  ]);
  const id = 'b57a45acaad108d4e72d396cef6f9f2bf4a354b6aac7c93c9ac5812e35495d40';
  expect(new Set(hostPorts.map(({ sandboxId }) => sandboxId))).toEqual(new Set([id]));
  expect(services.some(({ sandboxId }) => sandboxId !== undefined)).toBe(false);
});

test('chains that lead in a circle end the search', () => {
  const [a, b] = ['KUBE-SVC-CDGGSHYLG3RE2FKL', 'KUBE-EXT-CDGGSHYLG3RE2FKL'];
  const { services } = claimsIn(
    [
      ...['*nat', ':KUBE-SERVICES - [0:0]', `:${a} - [0:0]`, `:${b} - [0:0]`],
      `-A KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j ${b}`,
      `-A ${b} -j ${a}`,
      `-A ${a} -m comment --comment "default/web:http -> 10.42.0.5:8080" -j ${b}`,
      'COMMIT\n',
    ].join('\n'),
  );
  expect(services).toMatchObject([{ address: '10.43.0.80', targets: [] }]);
});

test('what was counted at its endpoints is summed up for a Service, each endpoint once', () => {
  const { services } = claimsIn(`*nat
:KUBE-SERVICES - [0:0]
:KUBE-EXT-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
[9:540] -A KUBE-EXT-AAAAAAAAAAAAAAAA -m comment --comment "masquerade traffic for a/b external destinations" -j KUBE-MARK-MASQ
[9:540] -A KUBE-EXT-AAAAAAAAAAAAAAAA -j KUBE-SVC-AAAAAAAAAAAAAAAA
[5:300] -A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/b -> 10.42.0.5:80" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-AAAAAAAAAAAAAAAA
[4:240] -A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/b -> 10.42.0.5:80" -j KUBE-SEP-AAAAAAAAAAAAAAAA
[7:420] -A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/b -> 10.42.0.6:80" -j KUBE-SEP-BBBBBBBBBBBBBBBB
[1:60] -A KUBE-SEP-AAAAAAAAAAAAAAAA -s 10.42.0.5/32 -m comment --comment "a/b" -j KUBE-MARK-MASQ
[9:540] -A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "a/b" -m tcp -j DNAT --to-destination 10.42.0.5:80
[7:420] -A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m comment --comment "a/b" -m tcp -j DNAT --to-destination 10.42.0.6:80
[2:120] -A KUBE-SERVICES -d 10.43.0.9/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
[9:540] -A KUBE-SERVICES -d 192.0.2.9/32 -p tcp -m comment --comment "a/b external IP" -m tcp --dport 80 -j KUBE-EXT-AAAAAAAAAAAAAAAA
COMMIT
`);
  expect(services.map(({ address, packets }) => `${address} ${packets}`)).toEqual([
    '10.43.0.9 16',
    '192.0.2.9 16',
  ]);
});

test('chains that lead round in a circle lead nowhere', () => {
  const { services } = claimsIn(`*nat
:KUBE-SERVICES - [0:0]
:KUBE-EXT-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-A KUBE-EXT-AAAAAAAAAAAAAAAA -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/b" -j KUBE-EXT-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -d 10.43.0.9/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
COMMIT
`);
  expect(services).toMatchObject([{ address: '10.43.0.9', targets: [], packets: 0 }]);
});

test('each port of a sandbox has a count of its own, and a second rule for one port is not told', () => {
  const chain = 'CNI-DN-ee38aa4d9699bb275365c';
  const { hostPorts } = claimsIn(`*nat
:CNI-HOSTPORT-DNAT - [0:0]
:${chain} - [0:0]
[3:180] -A ${chain} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.1.2:8080
[0:0] -A ${chain} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.1.2:8081
[4:240] -A ${chain} -p udp -m udp --dport 80 -j DNAT --to-destination 10.42.1.2:8080
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"aaaa1111\\"" -m multiport --dports 80 -j ${chain}
COMMIT
`);
  expect(hostPorts.map(({ protocol, port, packets }) => `${protocol} ${port} ${packets}`)).toEqual([
    'tcp 80 3',
    'udp 80 4',
  ]);
});
