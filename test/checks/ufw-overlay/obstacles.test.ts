import { describe, expect, test } from 'vitest';
import { cluster, network, node } from '../../facts/made-up-cluster.ts';
import { firewalldObjects, inputDump, ufwDisabledDump, ufwDump } from '../firewall-texts.ts';
import { activeUfw, diagnose, n1, n2, reasonsNot, stepsOf, subjects } from './diagnose.ts';

/** Every finding stays, and nothing is planned. */
async function refused(given: Parameters<typeof diagnose>[0]): Promise<readonly string[]> {
  const diagnosis = await diagnose(given);
  expect(subjects(diagnosis)).toEqual(['10.0.0.2 8472/udp', '10.0.0.2 10250/tcp']);
  expect(stepsOf(diagnosis)).toEqual([]);
  return reasonsNot(diagnosis);
}

describe('what somebody decided is left to him, with the commands', () => {
  test('ufw deny', async () => {
    const rules = ['-p udp -m udp --dport 8472 -j DROP', '-p tcp -m tcp --dport 10250 -j DROP'];
    expect(await refused({ dumps: { 'nft ipv4': ufwDump({ rules }) }, ufw: activeUfw() })).toEqual([
      "8472/udp: a rule of UFW's says so, not its default; by hand: ufw prepend allow from 10.0.0.2 to any port 8472 proto udp",
      "10250/tcp: a rule of UFW's says so, not its default; by hand: ufw prepend allow from 10.0.0.2 to any port 10250 proto tcp",
    ]);
  });

  test('a DROP policy that an old UFW, or somebody, left in the other backend', async () => {
    const dumps = { 'legacy ipv4': inputDump('DROP'), 'nft ipv4': ufwDump({ incoming: 'allow' }) };
    expect((await refused({ dumps, ufw: activeUfw() }))[0]).toBe(
      "8472/udp: the policy is not UFW's: its chains are not in legacy, or empty; by hand: iptables-legacy -I INPUT -s 10.0.0.2 -p udp --dport 8472 -j ACCEPT",
    );
  });

  test('UFW in both backends: one of them is nobody knows whose', async () => {
    const dumps = { 'legacy ipv4': ufwDump(), 'nft ipv4': ufwDump() };
    expect((await refused({ dumps, ufw: activeUfw() }))[0]).toMatch(
      /^8472\/udp: UFW's rules are in both backends, and it maintains one of them; by hand: iptables-(legacy|nft) -I INPUT /,
    );
  });

  test('UFW that is off by its configuration and still in the kernel', async () => {
    const dumps = { 'nft ipv4': ufwDump() };
    expect((await refused({ dumps, ufw: { kind: 'inactive' } }))[0]).toBe(
      '8472/udp: UFW is off by its configuration, and its rules are still in the kernel; by hand: ufw enable, and run this again; or ufw disable, which empties its chains',
    );
  });

  test('UFW whose files cannot be understood', async () => {
    const ufw = { kind: 'unavailable', reason: '/etc/ufw/user.rules line 3: nonsense' } as const;
    expect((await refused({ dumps: { 'nft ipv4': ufwDump() }, ufw }))[0]).toContain(
      "UFW's files cannot be understood: /etc/ufw/user.rules line 3: nonsense",
    );
  });

  test('a rule of iptables: sources that share it share a command', async () => {
    const n3 = node({ name: 'n3', internalAddresses: ['10.0.0.3'] });
    const dumps = { 'nft ipv4': inputDump('ACCEPT', ['-i eth0 -j DROP']) };
    const diagnosis = await diagnose({ nodes: cluster(n1, n2, n3), dumps });
    expect(new Set(reasonsNot(diagnosis))).toEqual(
      new Set([
        "8472/udp: the rule is not UFW's; by hand: iptables-nft -I INPUT -s 10.0.0.2,10.0.0.3 -p udp --dport 8472 -j ACCEPT",
        "10250/tcp: the rule is not UFW's; by hand: iptables-nft -I INPUT -s 10.0.0.2,10.0.0.3 -p tcp --dport 10250 -j ACCEPT",
      ]),
    );
  });

  test('a rule in a table that is asked first', async () => {
    const raw =
      '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -i eth0 -j DROP\nCOMMIT\n';
    expect((await refused({ dumps: { 'legacy ipv4': raw } }))[0]).toContain(
      'by hand: iptables-legacy -t raw -I PREROUTING -s 10.0.0.2 -p udp --dport 8472 -j ACCEPT',
    );
  });

  test('a hand-written nft table', async () => {
    const table = { family: 'inet', table: 'mine' };
    const nft = [
      { table: { family: 'inet', name: 'mine', handle: 1 } },
      { chain: { ...table, name: 'in', handle: 1, type: 'filter', hook: 'input', prio: 0, policy: 'drop' } },
    ];
    expect((await refused({ nft }))[0]).toBe(
      "8472/udp: the table is neither UFW's nor firewalld's; by hand: nft insert rule inet mine in ip saddr 10.0.0.2 udp dport 8472 accept",
    );
  });
});

test('what would still be stopped behind our rule is not begun', async () => {
  const dumps = { 'nft ipv4': ufwDump() };
  const table = { family: 'inet', table: 'mine' };
  const nft = [
    { table: { family: 'inet', name: 'mine', handle: 1 } },
    { chain: { ...table, name: 'in', handle: 1, type: 'filter', hook: 'input', prio: 20, policy: 'drop' } },
  ];
  expect((await refused({ dumps, nft, ufw: activeUfw() }))[0]).toContain(
    "8472/udp: a rule of UFW's alone would not open it: the policy of in, nft inet mine stands in the way, too; by hand: ufw allow from 10.0.0.2 to any port 8472 proto udp; nft insert rule inet mine in ip saddr 10.0.0.2 udp dport 8472 accept",
  );
});

test('UFW that leaves IPv6 alone cannot open it', async () => {
  const flannel = { publicIp: undefined, publicIpv6: 'fd00::1' };
  const nodes = cluster(
    node({ name: 'n1', internalAddresses: ['fd00::1'], flannel }),
    node({ name: 'n2', internalAddresses: ['fd00::2'], flannel: { ...flannel, publicIpv6: 'fd00::2' } }),
  );
  const dumps = { 'nft ipv6': ufwDump({ family: 'ipv6' }) };
  const ufw = activeUfw([], { ipv6: false });
  const diagnosis = await diagnose({ nodes, network: network('fd00::1/64'), dumps, ufw });
  expect(stepsOf(diagnosis)).toEqual([]);
  expect(reasonsNot(diagnosis)[0]).toBe(
    '8472/udp: UFW leaves IPv6 alone (IPV6=no in /etc/default/ufw); by hand: ip6tables-nft -I INPUT -s fd00::2 -p udp --dport 8472 -j ACCEPT',
  );
});

test('a limit: some get in, some do not, and nothing is added behind it', async () => {
  const rules = [
    '-p udp -m udp --dport 8472 -m limit --limit 3/min -j ACCEPT',
    '-p tcp -m tcp --dport 10250 -m limit --limit 3/min -j ACCEPT',
  ];
  const given = { dumps: { 'nft ipv4': ufwDump({ rules }) }, ufw: activeUfw() };
  expect((await refused(given))[0]).toBe(
    '8472/udp: it gets in sometimes, and a rule sets how often; by hand: ufw prepend allow from 10.0.0.2 to any port 8472 proto udp',
  );
  expect((await diagnose(given)).findings[0]?.message).toContain('gets in sometimes alone: ');
});

test('UFW with empty chains, halfway off, stands in nobody knows whose way', async () => {
  expect(await diagnose({ dumps: { 'nft ipv4': ufwDisabledDump() }, ufw: activeUfw() })).toMatchObject({
    outcome: 'ok',
  });
});

test('a rule that UFW reads from a file of its own comes before all that it is told', async () => {
  const text = ufwDump().replace(
    '-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n',
    (line) => `${line}-A ufw-before-input -i eth0 -j DROP\n`,
  );
  expect((await refused({ dumps: { 'nft ipv4': text }, ufw: activeUfw() }))[0]).toMatch(
    /^8472\/udp: a rule in the files of UFW says so; by hand: see the rule in \/etc\/ufw\/before\.rules /,
  );
});

test('what cannot be shown to open it is not begun', async () => {
  const given = { dumps: { 'nft ipv4': ufwDump() }, ufw: activeUfw(), nftUnknown: 'there is no nft' };
  expect((await refused(given))[0]).toBe(
    "8472/udp: whether a rule of UFW's would open it cannot be told: native nft tables are not known: there is no nft",
  );
});

describe('firewalld', () => {
  test('whose zone says nothing of it: a rich rule, for now and for good', async () => {
    const diagnosis = await diagnose({ nft: firewalldObjects(), firewalld: true });
    expect(diagnosis.findings[0]?.message).toMatch(
      /^n2 \(10\.0\.0\.2\) → 8472\/udp \(VXLAN\) is rejected by firewalld's zone public, rule \d+ of filter_IN_public, nft inet firewalld$/,
    );
    const rule = 'rule family="ipv4" source address="10.0.0.2" port port="8472" protocol="udp" accept';
    const line = (verb: string, ...scope: string[]) => ({
      tool: 'firewall-cmd',
      args: [...scope, '--zone=public', `--${verb}-rich-rule=${rule}`],
    });
    expect(stepsOf(diagnosis).slice(0, 2)).toEqual([
      {
        kind: 'command',
        title: 'firewalld zone public, for good: let 8472/udp in from 10.0.0.2',
        command: line('add', '--permanent'),
        check: line('query', '--permanent'),
        revert: line('remove', '--permanent'),
        firewall: true,
        onlyOpens: true,
      },
      expect.objectContaining({ command: line('add'), check: line('query'), revert: line('remove') }),
    ]);
    expect(stepsOf(diagnosis)).toHaveLength(4);
  });

  test('that drops it by a rule of the zone', async () => {
    const udp = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'eth0' } };
    const given = { nft: firewalldObjects({ deny: [udp] }), firewalld: true };
    expect((await refused(given))[0]).toBe(
      `8472/udp: a rule of firewalld's says so, not its default; by hand: firewall-cmd --permanent --zone=public --add-rich-rule='rule priority="-1" family="ipv4" source address="10.0.0.2" port port="8472" protocol="udp" accept'; firewall-cmd --reload`,
    );
  });

  test('that does not run and whose rules are still there', async () => {
    expect((await refused({ nft: firewalldObjects() }))[0]).toContain(
      'firewalld does not run, and its rules are still in the kernel',
    );
  });
});
