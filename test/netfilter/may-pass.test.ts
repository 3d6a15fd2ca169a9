import { describe, expect, it } from 'vitest';
import { mayPass } from '../../src/netfilter/may-pass.ts';
import { parseRuleset } from '../../src/netfilter/parse-ruleset.ts';

const packet = { address: '192.168.60.1', port: 22 };

describe('a rule that is certain', () => {
  it.each([
    ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', 'accept'],
    ['-A INPUT -p tcp -m multiport --dports 80,20:30 -j ACCEPT', 'accept'],
    ['-A INPUT -p udp -m udp --dport 22 -j ACCEPT', 'drop'],
    ['-A INPUT -p tcp -m tcp --dport 23:65535 -j ACCEPT', 'drop'],
    ['-A INPUT ! -p udp -j ACCEPT', 'accept'],
    ['-A INPUT -i lo -j ACCEPT', 'drop'],
    ['-A INPUT ! -i lo -j ACCEPT', 'accept'],
    ['-A INPUT -o eth0 -j ACCEPT', 'drop'],
    ['-A INPUT -s 127.0.0.0/8 -j ACCEPT', 'drop'],
    ['-A INPUT -d 192.168.60.1/32 -j ACCEPT', 'accept'],
    ['-A INPUT -d 192.168.60.2/32 -j ACCEPT', 'drop'],
    ['-A INPUT -d 192.168.56.0/21 -j ACCEPT', 'accept'],
    ['-A INPUT -d 192.168.48.0/21 -j ACCEPT', 'drop'],
    ['-A INPUT ! -d 10.0.0.0/8 -j ACCEPT', 'accept'],
    ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', 'drop'],
    ['-A INPUT -m state --state NEW -j ACCEPT', 'accept'],
    ['-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT', 'accept'],
    ['-A INPUT -m addrtype --dst-type MULTICAST -j ACCEPT', 'drop'],
    ['-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT', 'accept'],
    ['-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT', 'drop'],
    ['-A INPUT -m comment --comment "ssh -j DROP" -j ACCEPT', 'accept'],
    ['-A INPUT -j LOG --log-prefix "-j ACCEPT"', 'drop'],
  ])('%s before a policy of DROP: %s', (rule, fate) => {
    expect(filterInput([rule], 'DROP')).toEqual([fate]);
  });
});

describe('a rule that depends on more than is known', () => {
  it.each([
    '-A INPUT -s 10.0.0.0/8 -j ACCEPT',
    '-A INPUT -i eth0 -j ACCEPT',
    '-A INPUT -d 192.168.0.1/255.255.0.255 -j ACCEPT',
    '-A INPUT -p tcp -m tcp --sport 1024:65535 -j ACCEPT',
    '-A INPUT -m limit --limit 3/min -j ACCEPT',
    '-A INPUT -m mark --mark 0x1/0x1 -j ACCEPT',
    '-A INPUT -m socket -j ACCEPT',
    '-A INPUT -m conntrack ! --ctstate DNAT -j ACCEPT',
  ])('%s goes both ways', (rule) => {
    expect(filterInput([rule], 'DROP')).toEqual(['accept', 'drop']);
  });

  it('leads on to the certain one behind it', () => {
    expect(filterInput(['-A INPUT -i eth0 -j DROP', '-A INPUT -j ACCEPT'], 'DROP')).toEqual([
      'accept',
      'drop',
    ]);
    expect(filterInput(['-A INPUT -i eth0 -j DROP', '-A INPUT -j REJECT'], 'ACCEPT')).toEqual(['drop']);
  });

  it('may have any target, when that is not known', () => {
    expect(filterInput(['-A INPUT -j NFQUEUE --queue-num 0'], 'DROP')).toEqual([
      'accept',
      'drop',
      'elsewhere',
    ]);
  });
});

describe('chains', () => {
  it('come back to their caller at the end, and at RETURN', () => {
    const rules = [
      '-A INPUT -j empty',
      '-A INPUT -j early',
      '-A INPUT -p tcp -j ACCEPT',
      '-A early -p tcp -j RETURN',
      '-A early -j DROP',
    ];
    expect(filterInput(rules, 'DROP', ['empty', 'early'])).toEqual(['accept']);
  });

  it('that were gone to come back to the caller of the caller', () => {
    const rules = [
      '-A INPUT -j first',
      '-A INPUT -j ACCEPT',
      '-A first -g second',
      '-A first -j DROP',
      '-A second -p udp -j DROP',
    ];
    expect(filterInput(rules, 'DROP', ['first', 'second'])).toEqual(['accept']);
    expect(filterInput(['-A INPUT -g second', '-A INPUT -j ACCEPT'], 'DROP', ['second'])).toEqual(['drop']);
  });

  it('are judged wherever they are reached from, in a big tree of them too', () => {
    const names = Array.from({ length: 40 }, (_, i) => `c${i}`);
    const rules = names.flatMap((name, i) =>
      i === 39
        ? [`-A ${name} -s 10.0.0.1/32 -j DROP`]
        : [`-A ${name} -i a -j c${i + 1}`, `-A ${name} -j c${i + 1}`],
    );
    expect(filterInput(['-A INPUT -j c0', ...rules], 'ACCEPT', names)).toEqual(['accept', 'drop']);
  });

  it('of a built-in name return to its policy', () => {
    expect(filterInput(['-A INPUT -p tcp -j RETURN', '-A INPUT -j ACCEPT'], 'DROP')).toEqual(['drop']);
  });
});

describe('the tables on the way in', () => {
  it('are judged one by one, in order; others are none of it', () => {
    const text = [
      '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.42.0.9:22\nCOMMIT',
      '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT',
      '*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\nCOMMIT',
    ];
    expect(mayPass(parse(text.join('\n')), packet).map(({ hook, fates }) => [hook, [...fates]])).toEqual([
      ['raw PREROUTING', ['accept']],
      ['nat PREROUTING', ['elsewhere']],
      ['filter INPUT', ['drop']],
    ]);
  });

  it('do nothing certain by the state of a connection, where raw lets some go untracked', () => {
    const text = `*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth1 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate NEW -j ACCEPT
COMMIT`;
    expect(mayPass(parse(text), packet)[1]?.fates).toEqual(new Set(['accept', 'drop']));
  });

  it('do nothing certain by that in raw itself, where no state is known yet', () => {
    const text = '*raw\n:PREROUTING DROP [0:0]\n-A PREROUTING -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT';
    expect(mayPass(parse(text), packet)[0]?.fates).toEqual(new Set(['accept', 'drop']));
  });

  it('may do anything, when they could not be printed', () => {
    const text = "# Table `filter' is incompatible, use 'nft' tool.";
    expect(mayPass(parse(text), packet)[0]?.fates.size).toBe(3);
  });
});

describe('IPv6', () => {
  it('knows single addresses, and leaves networks open', () => {
    const fates = (rule: string) =>
      sorted(
        mayPass(parse(`*filter\n:INPUT DROP [0:0]\n${rule}\nCOMMIT`), { address: 'fd00:60::1', port: 22 })[0]
          ?.fates,
      );
    expect(fates('-A INPUT -d fd00:60::1/128 -j ACCEPT')).toEqual(['accept']);
    expect(fates('-A INPUT -d ff02::fb/128 -j ACCEPT')).toEqual(['drop']);
    expect(fates('-A INPUT -d fd00::/8 -j ACCEPT')).toEqual(['accept', 'drop']);
  });
});

function filterInput(rules: readonly string[], policy: string, chains: readonly string[] = []) {
  const declared = chains.map((name) => `:${name} - [0:0]`);
  const text = ['*filter', `:INPUT ${policy} [0:0]`, ...declared, ...rules, 'COMMIT'].join('\n');
  return sorted(mayPass(parse(text), packet)[0]?.fates);
}

function sorted(fates: ReadonlySet<string> | undefined): readonly string[] {
  return [...(fates ?? [])].sort();
}

function parse(text: string) {
  const parsed = parseRuleset(text);
  if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
  return parsed.ruleset;
}
