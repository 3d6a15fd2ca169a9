import fc from 'fast-check';

/** A dump with rules about connections to some ports, of every kind that is on the way in. */
export function randomDump(ports: readonly number[]): fc.Arbitrary<string> {
  const either = ['ACCEPT', 'DROP'];
  return fc
    .tuple(
      table('raw', { hooks: ['PREROUTING'], policies: ['ACCEPT'], targets: either, ports }),
      table('mangle', { hooks: ['PREROUTING', 'INPUT'], policies: ['ACCEPT'], targets: either, ports }),
      // Port 9 is closed: who is sent there is lost.
      table('nat', {
        hooks: ['PREROUTING'],
        policies: ['ACCEPT'],
        targets: ['ACCEPT', 'REDIRECT --to-ports 9'],
        ports,
      }),
      table('filter', { hooks: ['INPUT'], policies: either, targets: [...either, 'REJECT'], ports }),
    )
    .map((tables) => tables.join(''));
}

interface TableOptions {
  readonly hooks: readonly string[];
  readonly policies: readonly string[];
  readonly targets: readonly string[];
  readonly ports: readonly number[];
}

function table(name: string, { hooks, policies, targets, ports }: TableOptions): fc.Arbitrary<string> {
  const made = ['c1', 'c2', 'c3'];
  const chains = [...hooks, ...made];
  const bodies = chains.map((_, index) => {
    // Each leads only to later ones: the kernel refuses loops.
    const later = made.slice(Math.max(0, index + 1 - hooks.length)).flatMap((to) => [`-j ${to}`, `-g ${to}`]);
    const jumps = [...targets, 'RETURN'].map((target) => `-j ${target}`);
    return fc.array(fc.tuple(conditions(ports), fc.constantFrom(...jumps, ...later)), { maxLength: 6 });
  });
  return fc.tuple(fc.constantFrom(...policies), ...bodies).map(([policy, ...all]) => {
    const declared = chains.map((chain) => `:${chain} ${made.includes(chain) ? '-' : policy} [0:0]`);
    const rules = all.flatMap((body, index) => body.map((words) => `-A ${chains[index]} ${words.join(' ')}`));
    return [`*${name}`, ...declared, ...rules, 'COMMIT', ''].join('\n');
  });
}

function conditions(ports: readonly number[]): fc.Arbitrary<string> {
  const port = fc.constantFrom(...ports);
  const byPort = fc.oneof(
    { weight: 3, arbitrary: port.map((each) => `-p tcp --dport ${each}`) },
    fc
      .subarray([...ports], { minLength: 5, maxLength: 9 })
      .map((some) => `-p tcp -m multiport --dports ${some}`),
    fc.tuple(port, port).map((ends) => `-p tcp --dport ${Math.min(...ends)}:${Math.max(...ends)}`),
    fc.constantFrom('-p udp', '-p tcp --syn', '-p tcp ! --syn', '-p tcp --sport 1024:65535'),
  );
  const other = fc.constantFrom(
    ...['-i eth0', '! -i eth0', '-i lo', '! -i lo', '-s 192.168.60.0/24', '! -s 192.168.60.0/24'],
    ...[
      '-s 127.0.0.0/8',
      '-d 192.168.60.1/32',
      '! -d 192.168.60.1/32',
      '-d 192.168.56.0/21',
      '-d 10.0.0.0/8',
    ],
    ...['-m conntrack --ctstate NEW', '-m conntrack --ctstate RELATED,ESTABLISHED'],
    ...['-m conntrack ! --ctstate INVALID', '-m conntrack ! --ctstate NEW', '-m state --state NEW,INVALID'],
    ...['-m addrtype --dst-type LOCAL', '-m addrtype ! --dst-type LOCAL', '-m addrtype --dst-type MULTICAST'],
    ...['-m mark --mark 0x1/0x1', '-m limit --limit 1/sec', '-m comment --comment "-j ACCEPT"'],
  );
  return fc
    .tuple(byPort, fc.option(other, { freq: 2 }))
    .map(([first, more]) => (more ? `${more} ${first}` : first));
}
