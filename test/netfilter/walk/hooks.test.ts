import { describe, expect, test } from 'vitest';
import type { FirewallReading } from '../../../src/netfilter/walk/reading.ts';
import type { Walk } from '../../../src/netfilter/walk/walk.ts';
import { network, outgoing, podToPod, readingOf, tableText, toSsh, walkOver } from './node-of.ts';

const builtIn = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
};

/** All tables; each chain has one rule that passes everything and is told in the path, for what it marks. */
function marking(mark: (hook: string, table: string) => string | undefined): string {
  return Object.entries(builtIn)
    .map(([table, chains]) =>
      tableText(
        table,
        chains.flatMap((chain) => {
          const rule = mark(chain, table);
          return rule === undefined ? [] : [`-A ${chain} ${rule}`];
        }),
        Object.fromEntries(chains.map((chain) => [chain, 'ACCEPT'])),
      ),
    )
    .join('');
}

/** Each chain flips a bit, so that it shows in the path. */
const everywhere = marking(() => '-j MARK --set-xmark 0x1/0x0');

const stations = ({ ends: [end] }: Walk) => end?.path.map(({ rule }) => `${rule.table} ${rule.chain}`);

describe('the way of a packet', () => {
  const reading = readingOf({ nft: everywhere });

  test('in', () => {
    const walk = walkOver(reading, toSsh);
    expect(walk.ends[0]).toMatchObject({ way: 'in', fate: 'pass' });
    expect(stations(walk)).toEqual([
      ...['raw PREROUTING', 'mangle PREROUTING', 'nat PREROUTING'],
      ...['mangle INPUT', 'filter INPUT', 'nat INPUT'],
    ]);
  });

  test('through', () => {
    const walk = walkOver(reading, podToPod);
    expect(walk.ends[0]).toMatchObject({ way: 'forward', packet: { outLink: 'flannel.1' } });
    expect(stations(walk)).toEqual([
      ...['raw PREROUTING', 'mangle PREROUTING', 'nat PREROUTING'],
      ...['mangle FORWARD', 'filter FORWARD', 'mangle POSTROUTING', 'nat POSTROUTING'],
    ]);
  });

  test('out', () => {
    const walk = walkOver(reading, outgoing);
    expect(walk.ends[0]).toMatchObject({ way: 'out', packet: { outLink: 'eth0' } });
    expect(stations(walk)).toEqual([
      ...['raw OUTPUT', 'mangle OUTPUT', 'nat OUTPUT', 'filter OUTPUT'],
      ...['mangle POSTROUTING', 'nat POSTROUTING'],
    ]);
  });

  test('from the node to itself: over lo, and nat is not asked twice', () => {
    const walk = walkOver(reading, { ...outgoing, destination: '192.0.2.1' });
    expect(walk.ends[0]).toMatchObject({ way: 'in', fate: 'pass' });
    expect(stations(walk)).toEqual([
      ...['raw OUTPUT', 'mangle OUTPUT', 'nat OUTPUT', 'filter OUTPUT'],
      ...['mangle POSTROUTING', 'nat POSTROUTING', 'raw PREROUTING', 'mangle PREROUTING'],
      ...['mangle INPUT', 'filter INPUT'],
    ]);
    const overLo = marking((chain, table) => {
      if (table !== 'filter') return undefined;
      return chain === 'INPUT' ? '! -i lo -j DROP' : '! -o lo -j DROP';
    });
    expect(walkOver(readingOf({ nft: overLo }), { ...outgoing, destination: '127.0.0.1' }).verdict).toBe(
      'pass',
    );
  });

  test('of a known connection: without nat', () => {
    const walk = walkOver(reading, { ...toSsh, state: 'ESTABLISHED' });
    expect(stations(walk)).not.toContainEqual(expect.stringContaining('nat'));
  });
});

test('IPv6 packets meet the rules for IPv6 alone', () => {
  const drops = tableText('filter', ['-A INPUT -j DROP']);
  const packet = { ...toSsh, family: 'ipv6', source: '2001:db8::7', destination: '2001:db8:0::1' } as const;
  expect(walkOver(readingOf({ nft: drops }), packet).verdict).toBe('pass');
  expect(walkOver(readingOf({ nft6: drops }), packet).verdict).toBe('drop');
});

test('addresses that cannot be read are an error of the caller', () => {
  const walk = (source: string) => () => walkOver(readingOf({}), { ...toSsh, source });
  expect(walk('2001:db8::1')).toThrow(RangeError);
  expect(walk('node-1')).toThrow('node-1 is no IPv4 address');
});

describe('which backend is asked first', () => {
  const dnat = (to: string) =>
    tableText('nat', [`-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination ${to}`]);
  const both = readingOf({ legacy: dnat('10.42.0.8:22'), nft: dnat('10.42.0.9:22') });
  const destinations = ({ ends }: Walk) => ends.map(({ packet }) => packet.destination);

  test('the first nat table that has a translation wins', () => {
    const first = (backend: 'legacy' | 'nft'): FirewallReading => ({
      ...both,
      natFirst: { ipv4: backend, ipv6: undefined },
    });
    expect(destinations(walkOver(first('legacy'), toSsh))).toEqual(['10.42.0.8']);
    expect(destinations(walkOver(first('nft'), toSsh))).toEqual(['10.42.0.9']);
  });

  test('both are told where the order is not known', () => {
    const walk = walkOver(both, toSsh);
    expect(walk.verdict).toBe('pass');
    expect(destinations(walk)).toEqual(['10.42.0.8', '10.42.0.9']);
    expect(walk.ends[0]?.assumptions).toMatchObject([{ kind: 'unknown', rule: { number: 0 } }]);
    expect(walk.ends[0]?.assumptions[0]?.reason).toContain('PREROUTING of iptables-legacy nat');
  });

  test('a translation to what it is already is one, too', () => {
    const walk = walkOver(readingOf({ legacy: dnat('192.0.2.1:22'), nft: dnat('10.42.0.9:22') }), toSsh);
    expect(destinations(walk)).toEqual(['192.0.2.1', '10.42.0.9']);
  });

  test('nothing is said of the order where it makes no difference', () => {
    const same = readingOf({ legacy: dnat('10.42.0.8:22'), nft: dnat('10.42.0.8:22') });
    expect(walkOver(same, toSsh).ends).toMatchObject([
      { assumptions: [], packet: { destination: '10.42.0.8' } },
    ]);
  });

  test('where a mark is set in one and looked at in the other, both orders are walked', () => {
    const sets = tableText('filter', ['-A INPUT -j MARK --set-xmark 0x1/0x1']);
    const asks = tableText('filter', ['-A INPUT -m mark --mark 0x1/0x1 -j DROP']);
    const walk = walkOver(readingOf({ legacy: sets, nft: asks }), toSsh);
    expect(walk.verdict).toBe('unknown');
    expect(walk.ends.map(({ fate }) => fate).sort()).toEqual(['drop', 'pass']);
  });

  test('where one drops and one rejects, either may be first', () => {
    const rule = (target: string) => tableText('filter', [`-A INPUT -j ${target}`]);
    const walk = walkOver(readingOf({ legacy: rule('DROP'), nft: rule('REJECT') }), toSsh);
    expect(walk.ends.map(({ fate }) => fate).sort()).toEqual(['drop', 'reject']);
  });
});

describe('what is not known of the node', () => {
  const accepting = readingOf({ nft: tableText('filter', ['-A INPUT -j ACCEPT'], { FORWARD: 'DROP' }) });

  test.each(['legacy', 'nft'] as const)(
    'a dump of %s that could not be read makes every walk unknown',
    (backend) => {
      const { iptables } = accepting;
      const reason = 'the tool failed';
      const dump = { ...iptables[backend], ipv4: { kind: 'unknown', reason } } as const;
      const walk = walkOver({ ...accepting, iptables: { ...iptables, [backend]: dump } }, toSsh);
      expect(walk.verdict).toBe('unknown');
      expect(walk.ends.map(({ fate }) => fate).sort()).toEqual(['drop', 'pass']);
      for (const { assumptions } of walk.ends)
        expect(assumptions).toMatchObject([
          { kind: 'unknown', reason: `the rules of iptables-${backend}-save are not known: the tool failed` },
        ]);
    },
  );

  test('a table that iptables-nft could not print is in doubt, unless nft has listed it', () => {
    const text = "# Table `filter' is incompatible, use 'nft' tool.\n";
    const reading = readingOf({ nft: text });
    const { verdict, ends } = walkOver(reading, toSsh);
    expect(verdict).toBe('unknown');
    expect(ends[0]?.assumptions).toMatchObject([
      { kind: 'unknown', reason: 'iptables-nft-save could not print table filter' },
    ]);
    const listing = (name: string): FirewallReading => ({
      ...reading,
      nft: { kind: 'present', objects: [{ table: { family: 'ip', name, handle: 1 } }] },
    });
    expect(walkOver(listing('filter'), toSsh).verdict).toBe('pass');
    expect(walkOver(listing('nat'), toSsh).verdict).toBe('unknown');
  });

  test('native tables that could not be read leave in doubt only what passes', () => {
    const reading = { ...accepting, nft: { kind: 'unknown', reason: 'no nft' } } as const;
    expect(walkOver(reading, toSsh).verdict).toBe('unknown');
    expect(walkOver(reading, podToPod).verdict).toBe('drop');
  });

  test('without addresses both ways are walked, unless the packet names its link out', () => {
    const nowhere = {
      links: undefined,
      routes: undefined,
      policyRouting: undefined,
      forwarding: network.forwarding,
    };
    const reading = { ...accepting, network: nowhere };
    expect(walkOver(reading, toSsh).verdict).toBe('unknown');
    expect(walkOver(reading, toSsh).ends.map(({ way }) => way)).toEqual(['in', 'forward']);
    expect(walkOver(reading, { ...toSsh, outLink: 'cni0' })).toMatchObject({
      verdict: 'drop',
      ends: [{ way: 'forward' }],
    });
  });

  test('without routes, but with addresses, the node knows its own', () => {
    const reading = { ...accepting, network: { ...network, routes: undefined } };
    expect(walkOver(reading, toSsh)).toMatchObject({ verdict: 'pass', ends: [{ way: 'in' }] });
    expect(walkOver(reading, podToPod).verdict).toBe('drop');
  });

  test('with policy routing the link out is not known', () => {
    const rules = ['-A FORWARD -o flannel.1 -j ACCEPT'];
    const nft = tableText('filter', rules, { FORWARD: 'DROP' });
    const reading = { ...readingOf({ nft }), network: { ...network, policyRouting: true } };
    expect(walkOver(reading, podToPod).verdict).toBe('unknown');
    expect(walkOver(reading, { ...podToPod, outLink: 'flannel.1' }).verdict).toBe('pass');
    expect(walkOver(reading, { ...podToPod, outLink: 'eth0' }).verdict).toBe('drop');
  });
});

describe('what the kernel decides', () => {
  const reading = readingOf({});
  const off = { ...network, forwarding: { ipv4: false, ipv6: undefined } };

  test('forwarding is off', () => {
    const { verdict, ends } = walkOver({ ...reading, network: off }, podToPod);
    expect(verdict).toBe('drop');
    expect(ends).toMatchObject([
      { way: 'forward', decidedBy: { kind: 'kernel', reason: 'forwarding is off' } },
    ]);
    expect(walkOver({ ...reading, network: off }, toSsh).verdict).toBe('pass');
  });

  test('whether forwarding is on is not known', () => {
    const packet = { ...podToPod, family: 'ipv6', source: 'fd42::5', destination: '2001:db8:9::1' } as const;
    expect(walkOver({ ...reading, network: off }, packet).verdict).toBe('unknown');
  });

  test('no route', () => {
    const routes = network.routes?.filter(({ destination }) => destination !== '0.0.0.0/0');
    const stranded = { ...reading, network: { ...network, routes } };
    const decidedBy = { kind: 'kernel', reason: 'no route to 198.51.100.9' };
    expect(walkOver(stranded, { ...podToPod, destination: '198.51.100.9' }).ends).toMatchObject([
      { fate: 'reject', way: 'forward', decidedBy },
    ]);
    expect(walkOver(stranded, outgoing).ends).toMatchObject([{ way: 'out', decidedBy }]);
  });
});

describe('addresses that the kernel takes for strange', () => {
  const dnat = tableText('nat', [
    '-A PREROUTING -p udp -j DNAT --to-destination 10.42.1.7',
    '-A PREROUTING -p tcp -j DNAT --to-destination 127.0.0.1',
    '-A OUTPUT -p tcp -j DNAT --to-destination 10.42.1.7',
  ]);
  const fromLoopback = { ...outgoing, source: '127.0.0.1', destination: '127.0.0.1' };

  test.each([
    [true, 'pass', 'pass'],
    [false, 'drop', 'drop'],
    [undefined, 'unknown', 'unknown'],
  ] as const)(
    'loopback ones on other links, with route_localnet %s: %s',
    (routesLoopback, inside, outside) => {
      const settings = routesLoopback === undefined ? {} : { routesLoopback };
      const reading = { ...readingOf({ nft: dnat }), network: { ...network, ...settings } };
      expect(walkOver(reading, toSsh).verdict).toBe(inside);
      expect(walkOver(reading, fromLoopback).verdict).toBe(outside);
    },
  );

  test('what cannot go where it was translated to does not come to the filter', () => {
    const nft = [dnat, tableText('filter', ['-A OUTPUT -j REJECT'])].join('');
    const reading = { ...readingOf({ nft }), network: { ...network, routesLoopback: false } };
    expect(walkOver(reading, fromLoopback).ends).toMatchObject([
      { fate: 'drop', decidedBy: { kind: 'kernel' } },
    ]);
    expect(walkOver(reading, outgoing).verdict).toBe('reject');
    const fates = walkOver(readingOf({ nft }), fromLoopback).ends.map(({ fate }) => fate);
    expect(fates.sort()).toEqual(['drop', 'reject']);
  });

  test('loopback ones within the node are not', () => {
    expect(walkOver(readingOf({}), fromLoopback).verdict).toBe('pass');
    const ipv6 = { ...outgoing, family: 'ipv6', source: '::1', destination: '::1' } as const;
    expect(walkOver(readingOf({}), ipv6).verdict).toBe('pass');
    const away = tableText('nat', ['-A OUTPUT -j DNAT --to-destination fd42::9']);
    expect(walkOver(readingOf({ nft6: away }), ipv6).ends).toMatchObject([{ way: 'out', fate: 'pass' }]);
    const stranger = { ...toSsh, family: 'ipv6', source: '::1', destination: '2001:db8::1' } as const;
    expect(walkOver(readingOf({}), stranger).verdict).toBe('drop');
  });

  test('what is sent to all hosts is not forwarded, whatever becomes of its destination', () => {
    const transport = { protocol: 'udp', sourcePort: 5353, destinationPort: 53 } as const;
    for (const destination of ['192.0.2.255', '224.0.0.251', '255.255.255.255']) {
      const packet = { ...toSsh, destination, transport };
      expect(walkOver(readingOf({ nft: dnat }), packet).ends).toMatchObject([
        { fate: 'drop', way: 'forward' },
      ]);
      expect(walkOver(readingOf({}), packet).ends).toMatchObject([{ fate: 'pass', way: 'in' }]);
    }
  });
});

test('an anycast address of a link is the node itself', () => {
  const routes = network.routes?.map((each) =>
    each.destination === 'fd42::1/128' ? { ...each, type: 'anycast' } : each,
  );
  const packet = { ...outgoing, family: 'ipv6', source: '2001:db8::1', destination: 'fd42::1' } as const;
  expect(walkOver({ ...readingOf({}), network: { ...network, routes } }, packet).ends).toMatchObject([
    { way: 'in' },
  ]);
});

test('a packet of an unknown link did not come over lo', () => {
  const somewhere = { ...toSsh, origin: { kind: 'link', name: undefined } } as const;
  const rules = (link: string) =>
    readingOf({ nft: tableText('filter', [`-A INPUT -i ${link} -j ACCEPT`], { INPUT: 'DROP' }) });
  expect(walkOver(rules('lo'), somewhere).verdict).toBe('drop');
  expect(walkOver(rules('eth0'), somewhere).verdict).toBe('unknown');
  expect(walkOver(rules('ens+'), somewhere).verdict).toBe('drop');
  expect(walkOver(rules('+'), somewhere).verdict).toBe('pass');
  const blind = (link: string) => ({ ...rules(link), network: { ...network, links: undefined } });
  expect(walkOver(blind('lo'), somewhere).verdict).toBe('drop');
  expect(walkOver(blind('ens+'), somewhere).verdict).toBe('unknown');
});
