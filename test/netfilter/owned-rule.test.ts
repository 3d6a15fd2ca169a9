import { describe, expect, test } from 'vitest';
import { chainOwner } from '../../src/netfilter/chain-owner.ts';
import { isOwnersRule } from '../../src/netfilter/owned-rule.ts';
import { parseRule, type Rule } from '../../src/netfilter/rule.ts';
import { ipvsFilterLines, ipvsNatLines } from './lines/ipvs.ts';
import { kubeletNatLines, kubeProxyFilterLines } from './lines/kube-proxy-filter.ts';
import { kubeProxyNatLines } from './lines/kube-proxy-nat.ts';
import { networkPolicyLines } from './lines/network-policy.ts';
import { portmapLines } from './lines/portmap.ts';
import { linesOf, recordedDumps, rulesetOf } from './recorded-dumps.ts';

function ruleOf(line: string): Rule {
  const rule = parseRule(line);
  if (rule === undefined) throw new Error(`not a rule: ${line}`);
  return rule;
}

describe.each([
  ['kube-proxy in nat', kubeProxyNatLines],
  ['kube-proxy and kubelet in filter', kubeProxyFilterLines],
  ['kubelet in nat', kubeletNatLines],
  ['kube-proxy in ipvs mode in nat', ipvsNatLines],
  ['kube-proxy in ipvs mode in filter', ipvsFilterLines],
  ['the network policy controller', networkPolicyLines],
  ['portmap', portmapLines],
])('%s writes', (_owner, lines) => {
  test.each(lines)('$versions: $line', ({ table, line }) => {
    expect(isOwnersRule(table, ruleOf(line))).toBe(true);
  });

  test('none of it with a goto', () => {
    for (const { table, line } of lines.filter((each) => each.line.includes(' -j '))) {
      expect(isOwnersRule(table, ruleOf(line.replace(' -j ', ' -g ')))).toBe(false);
    }
  });

  test('none of it with a target of somebody else', () => {
    for (const { table, line } of lines.filter((each) => each.line.includes(' -j '))) {
      expect(isOwnersRule(table, ruleOf(line.replace(/ -j .*/, ' -j LOG')))).toBe(false);
      expect(isOwnersRule(table, ruleOf(line.replace(/ -j .*/, ' -j ufw-user-input')))).toBe(false);
    }
  });

  test('none of it with a comment of somebody else', () => {
    const other = '-m comment --comment "opened for the office, see ticket 4711"';
    for (const { table, line } of lines) {
      const commented = / -m comment --comment (?:"(?:\\.|[^"\\])*"|\S+)/.exec(line)?.[0];
      const changed =
        commented === undefined
          ? line.replace(/^-A \S+/, (start) => `${start} ${other}`)
          : line.replace(commented, ` ${other}`);
      if (ipvsSet.test(line)) continue;
      expect({ line: changed, owners: isOwnersRule(table, ruleOf(changed)) }).toEqual({
        line: changed,
        owners: false,
      });
    }
  });
});

/** In ipvs mode the name of the set tells whose rule it is; its comments are many. */
const ipvsSet = / --match-set KUBE-(?!SRC|DST)/;

test('every recorded rule in a chain of Kubernetes is its owner', () => {
  const strangers = recordedDumps().flatMap(({ text }) => {
    const ruleset = rulesetOf(text);
    return [...ruleset.tables.values()].flatMap((table) =>
      linesOf(ruleset, table).filter((line) => {
        const rule = ruleOf(line);
        const owner = chainOwner(rule.chain);
        return owner !== undefined && owner !== 'portmap' && !isOwnersRule(table.name, rule);
      }),
    );
  });
  expect(strangers).toEqual([]);
});

describe('nobody but a person writes', () => {
  test.each([
    ['nat', '-A KUBE-SERVICES -s 203.0.113.7/32 -j DROP'],
    ['nat', '-A KUBE-SERVICES -s 203.0.113.7/32 -j RETURN'],
    ['nat', '-A KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL'],
    [
      'nat',
      '-A KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.0.5:8080',
    ],
    ['nat', '-A KUBE-SERVICES -m set --match-set office src -j ACCEPT'],
    ['nat', '-A KUBE-SERVICES ! -s 127.0.0.0/8 -j RETURN'],
    ['nat', '-A KUBE-SERVICES -m set ! --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT'],
    ['nat', '-A KUBE-SERVICES -m addrtype ! --dst-type LOCAL -j KUBE-NODE-PORT'],
    ['nat', '-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j ACCEPT'],
    ['nat', '-A KUBE-POSTROUTING -s 10.42.0.0/16 -j MASQUERADE'],
    ['nat', '-A KUBE-POSTROUTING -s 10.42.0.0/16 -j RETURN'],
    ['nat', '-A KUBE-POSTROUTING -s 10.42.0.0/16 -j MARK --set-xmark 0x4000/0x0'],
    ['nat', '-A KUBE-MARK-MASQ -s 10.42.0.0/16 -j MARK --set-xmark 0x4000/0x4000'],
    ['nat', '-A KUBE-MARK-MASQ -j RETURN'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -s 203.0.113.7/32 -j RETURN'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -s 203.0.113.7/32 -j KUBE-MARK-DROP'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -s 203.0.113.7/32 -j KUBE-SEP-IV4V4L7CGKB7OJNB'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-MARK-MASQ'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -j DNAT --to-destination 10.42.0.5:8080'],
    ['nat', '-A KUBE-SVC-CDGGSHYLG3RE2FKL'],
    ['nat', '-A KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m tcp -j SNAT --to-source 10.0.0.1'],
    [
      'nat',
      '-A KUBE-SEP-IV4V4L7CGKB7OJNB -s 203.0.113.7/32 -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:8080',
    ],
    ['nat', '-A KUBE-EXT-CDGGSHYLG3RE2FKL -s 203.0.113.7/32 -j KUBE-SVC-CDGGSHYLG3RE2FKL'],
    ['nat', '-A KUBE-LOAD-BALANCER -s 203.0.113.7/32 -j RETURN'],
    ['nat', '-A KUBE-LOAD-BALANCER -s 203.0.113.7/32 -j KUBE-MARK-MASQ'],
    ['nat', '-A KUBE-PROXY-CANARY -j RETURN'],
    ['nat', '-A CNI-DN-2340674fa9a846ba6cee5 -s 203.0.113.7/32 -j DROP'],
    ['filter', '-A KUBE-FORWARD -s 203.0.113.7/32 -j DROP'],
    ['filter', '-A KUBE-FORWARD -m conntrack --ctstate NEW -j DROP'],
    ['filter', '-A KUBE-FORWARD -m conntrack --ctstate INVALID,NEW -j DROP'],
    ['filter', '-A KUBE-FORWARD -m conntrack ! --ctstate INVALID -j DROP'],
    ['filter', '-A KUBE-FORWARD -s 203.0.113.7/32 -m conntrack --ctstate INVALID -j DROP'],
    ['filter', '-A KUBE-FORWARD -i eth1 -j ACCEPT'],
    ['filter', '-A KUBE-FIREWALL -s 203.0.113.7/32 -j DROP'],
    [
      'filter',
      '-A KUBE-SERVICES -d 10.43.0.83/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    ],
    ['filter', '-A KUBE-SOURCE-RANGES-FIREWALL -s 203.0.113.7/32 -j DROP'],
    ['filter', '-A KUBE-ROUTER-INPUT -s 203.0.113.7/32 -j ACCEPT'],
    ['filter', '-A KUBE-POD-FW-24CAQJ4LYSAY3PHB -s 203.0.113.7/32 -j MARK --set-xmark 0x20000/0x20000'],
    ['filter', '-A KUBE-POD-FW-24CAQJ4LYSAY3PHB -s 203.0.113.7/32 -j ACCEPT'],
    ['filter', '-A KUBE-NWPLCY-24CAQJ4LYSAY3PHB -s 203.0.113.7/32 -j ACCEPT'],
    ['filter', '-A KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-IV4V4L7CGKB7OJNB'],
    ['mangle', '-A KUBE-IPTABLES-HINT -j RETURN'],
    ['mangle', '-A KUBE-KUBELET-CANARY -j ACCEPT'],
  ])('%s %s', (table, line) => {
    expect(isOwnersRule(table, ruleOf(line))).toBe(false);
  });
});
