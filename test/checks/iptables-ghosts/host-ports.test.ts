import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { type Edits, withLines, without } from '../../facts/edited-recording.ts';
import {
  diagnose,
  findingAt,
  hostPortGhost,
  legacyThenNft,
  removalsIn,
  stepsOf,
  tablesIn,
} from './diagnose.ts';

const dead = 'CNI-DN-ee38aa4d9699bb275365c';
const alive = 'CNI-DN-e6d183e69149c00ebfb9e';

/** The runtime's answer: sandboxes by id, with their state. */
function pods(states: Readonly<Record<string, 'SANDBOX_READY' | 'SANDBOX_NOTREADY'>>): Edits {
  const items = Object.entries(states).map(([id, state]) => ({
    id,
    state,
    metadata: { name: `pod-${id}`, namespace: 'default' },
  }));
  return { texts: { 'crictl-pods.json': () => JSON.stringify({ items }) } };
}

test('a host port of a running pod in the backend that is not live is not touched', async () => {
  const diagnosis = await diagnose('hostport-ghost-legacy-first/1-old-alive', {
    texts: { 'nft-save.txt': () => '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n' },
    host: { processes: [{ name: 'k3s-server' }] },
  });
  expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({ outcome: 'ok', steps: [] });
});

test('its dead neighbour in the same table goes, alone', async () => {
  const both = withLines('nat', {
    chains: [alive],
    rules: [
      `-A ${alive} -p tcp -m tcp --dport 81 -j DNAT --to-destination 10.42.1.3:8080`,
      String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"bbbb2222\"" -m multiport --dports 81 -j ${alive}`,
    ],
  });
  const diagnosis = await diagnose(hostPortGhost, { texts: { 'legacy-save.txt': both } });
  expect(removalsIn(diagnosis).map(({ backend, removal }) => [backend, removal.chains])).toEqual([
    ['legacy', [dead]],
  ]);
  expect(removalsIn(diagnosis)[0]?.removal.rules.map(({ line }) => line)).toEqual([
    String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"aaaa1111\"" -m multiport --dports 80 -j ${dead}`,
  ]);
});

test('a sandbox that the runtime knows as not ready, and that holds no address, is dead', async () => {
  const diagnosis = await diagnose(
    hostPortGhost,
    pods({ aaaa1111: 'SANDBOX_NOTREADY', bbbb2222: 'SANDBOX_READY' }),
  );
  expect(tablesIn(diagnosis)).toEqual(['legacy ipv4 nat']);
});

describe('a sandbox that still holds an address', () => {
  const reservation = {
    directories: [
      { path: '/var/lib/cni/networks/cbr0', entries: ['10.42.1.2', 'last_reserved_ip.0', 'lock'] },
    ],
    files: [{ path: '/var/lib/cni/networks/cbr0/10.42.1.2', text: 'aaaa1111\r\neth0' }],
  };

  test.each([
    ['is not ready', pods({ aaaa1111: 'SANDBOX_NOTREADY', bbbb2222: 'SANDBOX_READY' })],
    ['is not in the list, as one that is being made', pods({ bbbb2222: 'SANDBOX_READY' })],
  ])('and %s is left alone, and that is said', async (_state, edits) => {
    const diagnosis = await diagnose(hostPortGhost, { ...edits, add: reservation });
    expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({
      outcome: 'unknown',
      steps: [],
    });
    expect(diagnosis.reasons).toEqual([
      'sandbox aaaa1111 is not running but still holds an address (/var/lib/cni/networks/cbr0/10.42.1.2): being set up or torn down',
    ]);
  });

  test('in another folder of reservations protects nobody', async () => {
    const config = { ...defaultConfig(), paths: { ...defaultConfig().paths, ipam: '/elsewhere' } };
    const diagnosis = await diagnose(hostPortGhost, { add: reservation }, config);
    expect(tablesIn(diagnosis)).toEqual(['legacy ipv4 nat']);
  });
});

describe('without an answer of the runtime host ports are not judged', () => {
  test.each([
    ['there is no crictl', [], 'there is no crictl'],
    [
      'crictl hangs',
      [{ tool: 'crictl' as const, timeout: true as const }],
      'crictl did not answer within 10 s',
    ],
    [
      'crictl fails',
      [{ tool: 'crictl' as const, exitCode: 1, stderr: 'connect: no such file' }],
      'exit code 1: connect: no such file',
    ],
    [
      'crictl cannot be started',
      [{ tool: 'crictl' as const, failedToStart: 'EACCES' }],
      'could not be run: EACCES',
    ],
    ['crictl prints something else', [{ tool: 'crictl' as const, stdout: 'table.txt' }], 'cannot be read'],
  ])('%s', async (_why, crictl, reason) => {
    const commands = [
      { tool: 'iptables-legacy-save' as const, stdout: 'legacy-save.txt' },
      { tool: 'iptables-nft-save' as const, stdout: 'nft-save.txt' },
      ...crictl,
    ];
    const texts = { 'table.txt': () => 'POD ID  CREATED  STATE\n' };
    const diagnosis = await diagnose(hostPortGhost, { host: { commands }, texts });
    expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({
      outcome: 'unknown',
      steps: [],
    });
    expect(diagnosis.reasons).toEqual([
      expect.stringMatching(/^host ports of 2 sandboxes cannot be judged: /),
    ]);
    expect(diagnosis.reasons[0]).toContain(reason);
  });

  test("kube-proxy's leftovers are planned all the same", async () => {
    const hostPort = {
      chains: ['CNI-HOSTPORT-DNAT', dead],
      rules: [
        `-A ${dead} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.1.2:8080`,
        String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"aaaa1111\"" -m multiport --dports 80 -j ${dead}`,
      ],
    };
    const diagnosis = await diagnose(legacyThenNft, {
      texts: { 'iptables-legacy-save.txt': withLines('nat', hostPort) },
    });
    expect(diagnosis.outcome).toBe('findings');
    expect(diagnosis.reasons).toEqual([
      expect.stringContaining('host ports of 1 sandbox cannot be judged: there is no crictl'),
    ]);
    const nat = removalsIn(diagnosis).find(
      ({ family, removal }) => family === 'ipv4' && removal.table === 'nat',
    );
    expect(nat?.removal.chains).toContain('KUBE-SERVICES');
    expect(nat?.removal.chains.filter((name) => name.startsWith('CNI-'))).toEqual([]);
    expect(nat?.removal.rules.filter(({ chain }) => chain.startsWith('CNI-'))).toEqual([]);
  });
});

test('host ports of another network are foreign, whatever became of their sandbox', async () => {
  const podman = (text: string) =>
    text
      .replace('name: \\"cbr0\\" id: \\"aaaa1111', 'name: \\"podman\\" id: \\"aaaa1111')
      .replaceAll(dead, 'CNI-DN-4487c7875eecbf40d1796');
  const diagnosis = await diagnose(hostPortGhost, { texts: { 'legacy-save.txt': podman } });
  expect(diagnosis.findings).toEqual([]);
  expect(stepsOf(diagnosis)).toEqual([]);
});

test('the names of the networks can be configured, or come from the CNI configuration', async () => {
  const config = defaultConfig();
  const renamed = {
    ...config,
    checks: {
      ...defaultConfig().checks,
      'iptables-ghosts': { mode: 'fix' as const, probe: true, networks: ['mynet'] },
    },
  };
  expect(stepsOf(await diagnose(hostPortGhost, {}, renamed))).toEqual([]);
  const conflist = {
    path: '/var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist',
    text: '{"name":"mynet"}',
  };
  expect(stepsOf(await diagnose(hostPortGhost, { add: { files: [conflist] } }))).toEqual([]);
});

test("portmap's empty scaffolding is on a healthy node too and no ghost", async () => {
  const texts = { 'legacy-save.txt': without(/CNI-DN-/) };
  const diagnosis = await diagnose(hostPortGhost, { texts });
  expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({ outcome: 'ok', steps: [] });
});

test('of two sandboxes with one port in one backend, the older one wins and masks', async () => {
  const second = {
    chains: [alive],
    rules: [
      `-A ${alive} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.1.3:8080`,
      String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"bbbb2222\"" -m multiport --dports 80 -j ${alive}`,
    ],
  };
  const texts = { 'legacy-save.txt': withLines('nat', second), 'nft-save.txt': () => '' };
  const diagnosis = await diagnose(hostPortGhost, { texts });
  const ghost = findingAt(diagnosis, 'host port *:80/tcp');
  expect(ghost.effect).toBe('masks');
  expect(ghost.message).toBe(
    'host port *:80/tcp default/new → 10.42.1.2:8080 dead (legacy) · live: 10.42.1.3:8080 (legacy)',
  );
});

test('a dead host port that nobody has taken over captures what comes to it', async () => {
  const diagnosis = await diagnose('portmap-hostport-lifecycle/1-after-add');
  expect(diagnosis.findings).toMatchObject([
    {
      effect: 'captures',
      message: 'host port *:80/tcp → 10.42.1.2:8080 dead (legacy) · no live rule claims it',
    },
  ]);
});
