/** One rule into UFW and out again: by the real ufw, which fails, hangs, and is killed half-way. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { UfwRuleSpec, UfwRuleStep } from '../../../src/engine/step.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareBareImage } from '../systemd/prepare-image.ts';
import { startUfwDebian, type UfwDebian, ufwStep } from './ufw-debian.ts';

let image: Image;
let debian: UfwDebian;
let clean: string;
const add = ufwStep('add');
const written = { kind: 'written' };
const asPlanned = { kind: 'as-planned', notes: [] };

beforeAll(async () => {
  image = await prepareBareImage();
  debian = await startUfwDebian(image);
  await debian.run(['cp', '-a', '/etc/ufw', '/run/lab']);
  clean = await debian.ufwState();
}, 300_000);
afterAll(async () => {
  await debian?.stop();
  await image?.remove();
});
beforeEach(async () => {
  if ((await debian.ufwState()) === clean) return;
  const reset =
    'cp -a /run/lab/ufw/*.rules /run/lab/ufw/ufw.conf /etc/ufw; ufw --force disable; ufw --force enable';
  await debian.run(['sh', '-ec', reset]);
  expect(await debian.ufwState()).toBe(clean);
});

const rules: readonly (readonly [string, Partial<UfwRuleSpec>])[] = [
  ['what pods send', {}],
  ['what is sent to pods, IPv6', { source: 'any', destination: 'fd00:42:0::/56' }],
  ['what goes from link to link, both families', { source: 'any', inLink: 'cni0', outLink: 'flannel.1' }],
  ['what comes over a link', { source: 'any', inLink: 'cni0' }],
  ['what leaves over a link', { source: 'any', outLink: 'cni0' }],
  ['ahead of all others', { first: true }],
  ['ESP', { route: false, protocol: 'esp', source: '192.0.2.7' }],
  ['AH, IPv6', { route: false, protocol: 'ah', source: 'fd00:60:0:0::12' }],
  ['a port', { route: false, protocol: 'udp', source: '192.0.2.7/32', port: '8472' }],
  ['a port on a link', { route: false, protocol: 'tcp', source: '192.0.2.7', port: '10250', inLink: 'eth0' }],
  [
    'ports',
    { route: false, protocol: 'udp', source: '192.0.2.7', destination: '192.0.2.8', port: '4500,500' },
  ],
  ['a range', { route: false, protocol: 'tcp', source: '192.0.2.0/24', port: '60000:61000' }],
  ['a port of any protocol', { route: false, source: 'fd00:60::12', port: '7946' }],
];

describeWithSystemd('a rule for UFW', () => {
  it.each(rules)('%s: is added once, found, and taken back without a trace', async (_, rule) => {
    const step = ufwStep('add', rule);
    expect(await debian.step('do', step)).toEqual({ probed: 'needed', written, verdict: asPlanned });
    expect(await debian.ufwState()).not.toBe(clean);
    expect(await debian.step('do', step)).toEqual({ probed: 'done' });

    expect(await debian.step('takeBack', step)).toMatchObject({ verdict: asPlanned, missing: [] });
    expect(await debian.step('takeBack', step)).toMatchObject({ probed: 'done' });
    expect(await debian.ufwState()).toBe(clean);
  });

  it('is the same where UFW writes to the legacy backend', async () => {
    const backend = async (name: 'legacy' | 'nft') => {
      const choose = ['iptables', 'ip6tables'].map(
        (program) => `update-alternatives --quiet --set ${program} /usr/sbin/${program}-${name}`,
      );
      await debian.run(['sh', '-ec', `ufw --force disable; ${choose.join('; ')}; ufw --force enable`]);
    };
    await backend('legacy');
    expect(await debian.step('do', add)).toMatchObject({ verdict: asPlanned });
    expect(await debian.run(['iptables-legacy', '-S', 'ufw-user-forward'])).toContain(
      '-s 10.42.0.0/16 -j ACCEPT',
    );
    expect(await debian.step('takeBack', add)).toMatchObject({ verdict: asPlanned, missing: [] });
    await backend('nft');
  });

  it.each(['reload', 'restart'])('survives a %s of UFW', async (verb) => {
    await debian.step('do', add);
    const changed = await debian.ufwState();
    await debian.run(verb === 'reload' ? ['ufw', 'reload'] : ['systemctl', 'restart', 'ufw']);
    expect(await debian.ufwState()).toBe(changed);
    expect(await debian.step('probe', add)).toEqual({ probed: 'done' });
  });

  it('is deleted and put back', async () => {
    await debian.step('do', add);
    const step = ufwStep('delete');
    expect(await debian.step('do', step)).toMatchObject({ verdict: asPlanned });
    expect(await debian.ufwState()).toBe(clean);
    expect(await debian.step('probe', step)).toEqual({ probed: 'done' });

    expect(await debian.step('takeBack', step)).toMatchObject({ verdict: asPlanned, missing: [] });
    expect(await debian.step('probe', add)).toEqual({ probed: 'done' });
  });

  it('stands ahead of what somebody else denies, when that is asked for', async () => {
    await debian.step('do', ufwStep('add', { first: true }));
    expect((await debian.run(['iptables', '-S', 'ufw-user-forward'])).split('\n').slice(1, 3)).toEqual([
      '-A ufw-user-forward -s 10.42.0.0/16 -j ACCEPT',
      '-A ufw-user-forward -s 198.51.100.0/24 -j DROP',
    ]);
  });
});

describeWithSystemd('a rule that somebody else has', () => {
  it('is done, and keeps its own comment', async () => {
    await debian.run(['ufw', 'route', 'allow', 'from', '10.42.0.0/16', 'comment', 'mine']);
    const before = await debian.ufwState();
    expect(await debian.step('do', add)).toEqual({ probed: 'done' });
    expect(await debian.step('do', ufwStep('delete'))).toEqual({ probed: 'done' });
    expect(await debian.ufwState()).toBe(before);
  });

  it('in one of two families stays when ours is deleted from the other', async () => {
    const rule = { source: 'any', inLink: 'cni0', outLink: 'flannel.1' } as const;
    await debian.step('do', ufwStep('add', rule));
    await debian.run(['sed', '-i', 's/ comment=6b.*/ comment=6d696e65/', '/etc/ufw/user6.rules']);
    expect(await debian.step('do', ufwStep('delete', rule))).toMatchObject({ verdict: asPlanned });
    const left = (await debian.tuples()).filter((line) => line.includes('in_cni0!out_flannel.1'));
    expect(left).toEqual([expect.stringMatching(/::\/0 .* comment=6d696e65$/)]);
  });

  it('is never replaced by one with another action', async () => {
    await debian.run(['ufw', 'route', 'deny', 'from', '10.42.0.0/16']);
    const before = await debian.ufwState();
    expect(await debian.step('do', add)).toEqual({
      probed: 'moved-on',
      reason: expect.stringMatching(/^\/etc\/ufw\/user.rules has a rule .* UFW would replace it$/),
    });
    expect(await debian.ufwState()).toBe(before);
  });

  it('that somebody else added meanwhile stays when ours is taken back', async () => {
    await debian.step('do', add);
    await debian.run(['ufw', 'allow', '443/tcp']);
    expect(await debian.step('takeBack', add)).toMatchObject({ verdict: asPlanned, missing: [] });
    expect((await debian.tuples()).filter((line) => line.includes(' 443 '))).toHaveLength(2);
  });
});

describeWithSystemd('UFW that is not as expected', () => {
  it.each([
    ['is off', 'ufw --force disable', 'UFW is not active any more'],
    ['does no IPv6', 'sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw', 'UFW does not manage IPv6'],
    ['has lost its chains', 'ip6tables -F; ip6tables -X', '"ufw reload" makes it'],
    ['has half a file', 'sed -i 9q /etc/ufw/user6.rules', 'user6.rules is cut off'],
  ])('%s: nothing is done, and why is said', async (_, breakIt, reason) => {
    const step = ufwStep('add', { source: 'fd00:42::/56' });
    await debian.run(['sh', '-ec', breakIt]);
    const before = await debian.ufwState();
    expect(await debian.step('do', step)).toEqual({
      probed: 'moved-on',
      reason: expect.stringContaining(reason),
    });
    expect(await debian.ufwState()).toBe(before);
    await debian.run(['sed', '-i', 's/IPV6=no/IPV6=yes/', '/etc/default/ufw']);
  });

  it('is absent: it cannot be looked at, or cannot be called', async () => {
    expect(await debian.step('do', add, { iptables: ['/nowhere/iptables'] })).toMatchObject({
      probed: 'failed',
    });
    expect(await debian.step('do', add, { ufw: ['/nowhere/ufw'] })).toMatchObject({
      written: { kind: 'failed', reason: expect.stringContaining('there is no such program') },
    });
    expect(await debian.ufwState()).toBe(clean);
  });

  it('waits for its lock: it is given up, and nothing has changed', async () => {
    const hold =
      'import fcntl; f = open("/run/ufw.lock", "w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); input()';
    const holder = debian.start(['python3', '-c', hold]);
    await holder.waitForLine('held');
    expect(await debian.step('do', add)).toMatchObject({
      written: { kind: 'failed', reason: expect.stringContaining('/run/ufw.lock') },
      verdict: { kind: 'not-as-planned' },
    });
    holder.closeInput();
    await holder.ended;
    expect(await debian.step('takeBack', add)).toMatchObject({ probed: 'done', missing: [] });
    expect(await debian.ufwState()).toBe(clean);
  });

  it('says that all is well when iptables has refused: the kernel is asked', async () => {
    const refuse = 'case "$*" in *10.42.0.0*) exit 4;; esac; exec /usr/sbin/xtables-nft-multi iptables "$@"';
    await debian.writeFile('/run/lab/refuse', `#!/bin/sh\n${refuse}\n`, '755');
    await debian.run(['ln', '-sf', '/run/lab/refuse', '/etc/alternatives/iptables']);
    expect(await debian.step('do', add)).toMatchObject({
      verdict: { kind: 'not-as-planned', reason: expect.stringContaining('the kernel has not') },
    });
    await debian.run(['ln', '-sf', '/usr/sbin/iptables-nft', '/etc/alternatives/iptables']);
    expect(await debian.step('takeBack', add)).toMatchObject({ verdict: asPlanned, missing: [] });
    expect(await debian.ufwState()).toBe(clean);
  });
});

describeWithSystemd('a ufw that is killed', () => {
  /** At its own calls: when it starts a program, copies its new file over the old one, removes the new one. */
  const points = ['vfork 3', 'sendfile 1', 'unlink 2', 'vfork 13', 'vfork 21', 'vfork 59'];
  const outcomes = [
    '/etc/ufw/user.rules is cut off',
    'UFW has not taken it over',
    'as-planned',
    'the kernel has not taken it over',
  ];

  /** Does it at each point, and takes it back by another process. Returns what came of it before that. */
  async function killAtEach(step: UfwRuleStep): Promise<readonly string[]> {
    const before = await debian.ufwState();
    const seen = new Set<string>();
    for (const point of points) {
      const [call, nth] = point.split(' ');
      const trace = `strace -f -qq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
      await debian.writeFile('/run/lab/killed', `#!/bin/sh\nexec ${trace} /usr/sbin/ufw "$@"\n`, '755');

      const { verdict } = await debian.step('do', step, { ufw: ['/run/lab/killed'] });

      seen.add((verdict?.reason ?? verdict?.kind ?? '').replace(/^.*: /, ''));
      expect(await debian.step('takeBack', step), point).toMatchObject({ missing: [] });
      expect(await debian.ufwState(), point).toBe(before);
    }
    return [...seen].sort();
  }

  it('has added a rule or not, or half of it, and it is taken back as a whole', async () => {
    expect(await killAtEach(add)).toEqual(outcomes);
  });

  it('has deleted a rule or not, or half of it, and it is put back as a whole', async () => {
    await debian.step('do', add);
    expect(await killAtEach(ufwStep('delete'))).toEqual(outcomes);
  });

  it('and whose half file was loaded before anybody saw it: file and kernel are as before', async () => {
    const cut = 'strace -f -qq -o /dev/null -e trace=sendfile -e inject=sendfile:signal=KILL:when=1';
    await debian.writeFile('/run/lab/killed', `#!/bin/sh\nexec ${cut} /usr/sbin/ufw "$@"\n`, '755');
    await debian.step('do', add, { ufw: ['/run/lab/killed'] });
    await debian.run(['sh', '-ec', 'iptables -F ufw-user-input; iptables -F ufw-user-forward']);
    expect(await debian.step('takeBack', add)).toMatchObject({ verdict: asPlanned, missing: [] });
    expect(await debian.ufwState()).toBe(clean);
  });

  it('is done again by the next one, whatever it left, but for half a file', async () => {
    await debian.writeFile(
      '/run/lab/killed',
      '#!/bin/sh\nexec strace -f -qq -o /dev/null -e trace=unlink -e inject=unlink:signal=KILL:when=2 /usr/sbin/ufw "$@"\n',
      '755',
    );
    for (const change of ['add', 'delete'] as const) {
      const step = ufwStep(change);
      expect(await debian.step('do', step, { ufw: ['/run/lab/killed'] })).toMatchObject({
        verdict: { kind: 'not-as-planned' },
      });
      expect(await debian.step('do', step)).toMatchObject({ probed: 'needed', verdict: asPlanned });
    }
    expect(await debian.ufwState()).toBe(clean);
  });
});
