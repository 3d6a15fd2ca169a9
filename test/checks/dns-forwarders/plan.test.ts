import { expect, test } from 'vitest';
import {
  type Changes,
  diagnose,
  newCorefile,
  oldCorefile,
  overridePath,
  repair,
  resolvConf,
  takeSteps,
} from './cluster.ts';

const network = { '185.12.64.1': 'answers', '185.12.64.2': 'answers' } as const;
const world = { '10.42.0.5': 'servfail' } as const;
const incident: Changes = { network, world };
const resolvConfPath = '/etc/rancher/k3s/k3s-doctor-resolv.conf';
const dropInPath = '/etc/rancher/k3s/config.yaml.d/50-k3s-doctor.yaml';

const kinds = async (changes: Changes) => (await repair(changes)).steps.map(({ kind }) => kind);
const remedy = async (changes: Changes) => (await diagnose(changes)).findings[0]?.remedy;

/** Diagnosed again when the plan has been carried out. */
async function afterwards(changes: Changes) {
  const { steps } = await repair(changes);
  const written = steps.flatMap((step) =>
    step.kind === 'file-write' ? [[step.path, step.content] as const] : [],
  );
  const files = new Map(written);
  const { ownResolvConf = null, ownDropIn = null } = changes.packaged ?? {};
  return diagnose({
    ...takeSteps(changes, steps),
    world: { '10.42.0.5': 'answers' },
    packaged: {
      ...changes.packaged,
      ownResolvConf: files.get(resolvConfPath) ?? ownResolvConf,
      ownDropIn: files.get(dropInPath) ?? ownDropIn,
    },
  });
}

test('the import ahead of the forward: our own key of coredns-custom, proven by CoreDNS', async () => {
  const { steps } = await repair({
    ...incident,
    corefile: newCorefile(),
    hostServers: ['10.9.9.9'],
    podNetwork: network,
  });
  expect(steps).toEqual([
    {
      kind: 'config-map-key',
      namespace: 'kube-system',
      name: 'coredns-custom',
      key: 'k3s-doctor-upstream.override',
      was: null,
      value:
        '# k3s-doctor: these servers answered when those before them did not.\nforward . 185.12.64.1 185.12.64.2\n',
    },
    {
      kind: 'wait',
      title: 'pod coredns-6799fbcd5-x7k2p has loaded it',
      until: {
        kind: 'coredns-reloaded',
        pods: [
          {
            ...{ name: 'coredns-6799fbcd5-x7k2p', address: '10.42.0.5', hashWas: 'abc', failedWas: 0 },
            containerWas: 'c0ffee',
          },
        ],
      },
      deadlineMs: 180_000,
      orGoOn: true,
    },
    {
      kind: 'wait',
      title: 'CoreDNS at 10.43.0.10 resolves registry-1.docker.io',
      until: {
        kind: 'dns-answers',
        questions: [
          {
            server: '10.43.0.10',
            protocol: 'udp',
            name: 'registry-1.docker.io',
            type: 'A',
            timeoutMs: 3_000,
          },
        ],
        orNoSuchName: true,
      },
      deadlineMs: 180_000,
    },
  ]);
});

test('other keys of coredns-custom are there, and stay', async () => {
  const custom = { 'zone.server': 'example.org:53 {\n  forward . 185.12.64.1\n}\n' };
  const { steps } = await repair({ ...incident, corefile: newCorefile('forward . 8.8.8.8'), custom });
  expect(steps.filter(({ kind }) => kind !== 'wait')).toMatchObject([
    { kind: 'config-map-key', key: 'k3s-doctor-upstream.override', was: null },
  ]);
});

test('an override of ours whose servers have died is replaced', async () => {
  const before = 'forward . 10.0.0.9\n';
  const custom = { 'k3s-doctor-upstream.override': before };
  const { steps } = await repair({ ...incident, corefile: newCorefile(), custom });
  expect(steps[0]).toMatchObject({ kind: 'config-map-key', was: before });
  // Where it stands is no matter, if it is the one that is asked.
  const only = oldCorefile('# no forward here');
  const old = { ...incident, corefile: only, custom, version: [1, 9, 3] };
  expect((await repair(old)).steps[0]).toMatchObject({ was: before });
});

test('the forward ahead of the import: that line of the Corefile, and no other byte', async () => {
  const { steps } = await repair(incident);
  expect(steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait', 'file-write', 'file-write']);
  expect(steps[0]).toEqual({
    kind: 'kube-patch',
    title: 'Corefile, line 15: forward . 185.12.64.1 185.12.64.2 in place of 8.8.8.8 1.1.1.1',
    object: '/api/v1/namespaces/kube-system/configmaps/coredns',
    fields: [
      {
        pointer: '/data/Corefile',
        was: oldCorefile(),
        value: oldCorefile('forward . 185.12.64.1 185.12.64.2'),
      },
    ],
  });
  expect(steps.slice(3)).toEqual([
    {
      kind: 'file-write',
      path: resolvConfPath,
      content: expect.stringMatching(/^#.*\nnameserver 185\.12\.64\.1\nnameserver 185\.12\.64\.2\n$/),
      basedOn: null,
      mode: 0o644,
    },
    {
      kind: 'file-write',
      path: dropInPath,
      content: expect.stringMatching(/^#.*\nresolv-conf: \/etc\/rancher\/k3s\/k3s-doctor-resolv\.conf\n$/),
      basedOn: null,
      mode: 0o600,
    },
  ]);
});

test.each([
  ['options', 'forward . 8.8.8.8 1.1.1.1 {\n      policy sequential\n      max_fails 3\n    }'],
  ['odd spaces and a comment', 'forward   .\t8.8.8.8   1.1.1.1   # public'],
  ['a file', 'forward . /etc/resolv.conf {\n      except corp.example\n    }'],
])('a forward with %s keeps them', async (_, forward) => {
  const podView = { podNetwork: network, hostServers: ['10.9.9.9'] };
  const { steps } = await repair({ ...incident, ...podView, corefile: oldCorefile(forward) });
  const [patch] = steps;
  if (patch?.kind !== 'kube-patch') throw new Error('no patch');
  expect(patch.fields[0]?.value).toBe(
    oldCorefile(forward)
      .replace('8.8.8.8', '185.12.64.1')
      .replace('1.1.1.1', '185.12.64.2')
      .replace('/etc/resolv.conf', '185.12.64.1 185.12.64.2'),
  );
});

test('an override keeps the options of the forward that it takes the place of', async () => {
  const corefile = newCorefile(
    'forward . 8.8.8.8 {\n      policy sequential\n      except corp.example\n    }',
  );
  const { steps } = await repair({ ...incident, corefile });
  expect(steps[0]).toMatchObject({
    value: expect.stringContaining(
      'forward . 185.12.64.1 185.12.64.2 {\n    policy sequential\n    except corp.example\n}\n',
    ),
  });
});

test.each([
  ['of another zone', 'example.org:53 {\n    forward . 8.8.8.8 1.1.1.1\n}\n'],
  ['at another port', '.:5353 {\n    forward . 8.8.8.8 1.1.1.1\n}\n'],
])('a block %s ahead of that of the root is not the one that is changed', async (_, other) => {
  const corefile = other + oldCorefile();
  const { plan } = await diagnose({ ...incident, corefile });
  expect(plan(() => true).steps[0]).toMatchObject({
    fields: [{ value: other + oldCorefile('forward . 185.12.64.1 185.12.64.2') }],
  });
});

test('CoreDNS before 1.9.4 takes no second forward: the line itself is changed', async () => {
  const corefile = newCorefile('forward . 8.8.8.8');
  expect((await kinds({ ...incident, corefile, version: [1, 9, 3] }))[0]).toBe('kube-patch');
  expect((await kinds({ ...incident, corefile, version: [1, 9, 4] }))[0]).toBe('config-map-key');
  expect((await kinds({ ...incident, corefile, version: undefined }))[0]).toBe('config-map-key');
});

test.each([
  [
    'over TLS',
    newCorefile('forward . tls://9.9.9.9 {\n      tls_servername dns.quad9.net\n    }'),
    {},
    'forwards over TLS',
  ],
  [
    'in a file of somebody else',
    newCorefile(),
    { 'a.override': '# mine\nforward . 10.0.0.9\n' },
    'key a.override, line 2 is yours',
  ],
])('a forward %s is left to its owner, who is told what to write', async (_, corefile, custom, words) => {
  const reason = expect.stringMatching(`${words}.*forward \\. 185\\.12\\.64\\.1 185\\.12\\.64\\.2$`);
  expect(await remedy({ ...incident, corefile, custom })).toEqual({ kind: 'none', reason });
});

test('an override that another block imports, too, would take its names away: the line itself is changed', async () => {
  const other = 'corp.example:53 {\n    import /etc/coredns/custom/*.override\n    forward . 10.0.0.9\n}\n';
  const [patch] = (await repair({ ...incident, corefile: newCorefile('forward . 8.8.8.8') + other })).steps;
  expect(patch).toMatchObject({ kind: 'kube-patch', fields: [{ value: expect.stringContaining(other) }] });
});

test.each([
  [
    'a snippet that another zone has, too',
    `(up) {\n    forward . 8.8.8.8\n}\n${oldCorefile('import up')}corp.example {\n    import up\n}\n`,
    'imported by the block of corp.example, too',
  ],
  [
    'one of two blocks for all names',
    `${oldCorefile('bind 10.0.0.1\n    forward . 8.8.8.8')}.:53 {\n    bind 10.0.0.2\n    forward . 8.8.8.8\n}\n`,
    'another server block .line \\d+. answers for all names, too',
  ],
])('a forward in %s is left to its owner', async (_, corefile, words) => {
  const reason = expect.stringMatching(`${words}.*forward \\. 185\\.12\\.64\\.1 185\\.12\\.64\\.2$`);
  const { findings } = await diagnose({ ...incident, corefile });
  expect(findings.find(({ subject }) => subject === 'zone .')?.remedy).toEqual({ kind: 'none', reason });
});

test.each([
  ['is immutable', { data: {}, isImmutable: true }, 'coredns-custom is immutable'],
  ['has our key as binaryData', { data: {}, binaryKeys: ['k3s-doctor-upstream.override'] }, 'binaryData'],
] as const)('what cannot be written is not planned: ConfigMap coredns-custom %s', async (_, value, words) => {
  const custom = { kind: 'known', value: { path: '/x', ...value } } as const;
  const changes = { ...incident, corefile: newCorefile('forward . 8.8.8.8'), coreDns: { custom } };
  expect(await remedy(changes)).toEqual({ kind: 'none', reason: expect.stringContaining(words) });
});

test('nor a Corefile that is immutable', async () => {
  const value = { path: '/x', data: { Corefile: oldCorefile() }, isImmutable: true } as const;
  expect(await remedy({ ...incident, coreDns: { config: { kind: 'known', value } } })).toEqual({
    kind: 'none',
    reason: expect.stringContaining('ConfigMap coredns is immutable'),
  });
});

test('CoreDNS that does not watch its Corefile would not notice', async () => {
  const corefile = oldCorefile().replace('    reload\n', '');
  const reason = expect.stringContaining('rollout restart deployment coredns');
  expect(await remedy({ ...incident, corefile, metrics: 'no-hash' })).toEqual({ kind: 'none', reason });
  expect(await kinds({ ...incident, metrics: 'none' })).toEqual([
    'kube-patch',
    'wait',
    'file-write',
    'file-write',
  ]);
});

test('a CoreDNS that has not reloaded yet tells no hash, and is waited for all the same', async () => {
  const untold: Changes = { ...incident, metrics: 'no-hash' };
  const { steps } = await repair(untold);
  expect(steps[1]).toMatchObject({
    until: { kind: 'coredns-reloaded', pods: [{ hashWas: '', failedWas: 0 }] },
  });
  // Before 1.9.1 it tells another one, and only that names are resolved shows that it has reloaded.
  const first = (await repair({ ...untold, version: [1, 9, 0] })).steps[1];
  expect(first).toMatchObject({ until: { kind: 'dns-answers' } });
});

test('on an agent no file is written', async () => {
  const { finding, steps } = await repair({ ...incident, packaged: { isServer: false } });
  expect(steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait']);
  expect(finding.evidence.at(-1)?.observed).toContain('until a k3s server is started');
});

test.each([
  ['k3s was told to leave CoreDNS alone', { isDisabled: true }],
  ['the manifest is skipped', { isSkipped: true }],
])('no file is written where %s', async (_, packaged) => {
  expect(await kinds({ ...incident, packaged })).toEqual(['kube-patch', 'wait', 'wait']);
});

test('the operator’s own resolv-conf is his, and he is told', async () => {
  const conf = resolvConf('/etc/rancher/k3s/resolv.conf', ['8.8.8.8']);
  const kubelet = { kind: 'known', by: 'option', from: '/etc/rancher/k3s/config.yaml', conf } as const;
  const { finding, steps } = await repair({ ...incident, kubelet });
  expect(steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait']);
  expect(finding.evidence.at(-1)?.observed).toContain('write them into /etc/rancher/k3s/resolv.conf');
});

test('our own resolv-conf gets the new servers', async () => {
  const first = await repair(incident);
  const dropIn = first.steps.find((step) => step.kind === 'file-write' && step.path === dropInPath);
  if (dropIn?.kind !== 'file-write') throw new Error('no drop-in');
  const conf = resolvConf(resolvConfPath, ['10.0.0.9']);
  const { steps } = await repair({
    ...incident,
    kubelet: { kind: 'known', by: 'option', from: dropInPath, conf },
    packaged: { ownDropIn: dropIn.content, ownResolvConf: 'nameserver 10.0.0.9\n' },
  });
  expect(steps.filter(({ kind }) => kind === 'file-write')).toMatchObject([
    { path: resolvConfPath, basedOn: 'nameserver 10.0.0.9\n' },
  ]);
});

test.each([
  ['override', { ...incident, corefile: newCorefile('forward . 8.8.8.8') }],
  ['Corefile', incident],
  [
    'Corefile that k3s packages otherwise',
    { ...incident, packaged: { corefile: oldCorefile('forward . /etc/resolv.conf') } },
  ],
] as const)('when it is done, nothing is found and nothing planned: %s', async (_, changes) => {
  const diagnosis = await afterwards(changes);
  expect(diagnosis).toMatchObject({ outcome: 'ok', findings: [] });
  expect(diagnosis.plan(() => true)).toEqual({ steps: [], repairs: [] });
});

test('no step but these, none that names NodeHosts, and none that may not be taken', async () => {
  for (const corefile of [oldCorefile(), newCorefile('forward . 8.8.8.8')]) {
    const diagnosis = await diagnose({ ...incident, corefile });
    expect(JSON.stringify(diagnosis.plan(() => true).steps)).not.toContain('203.0.113.10 main');
    expect(diagnosis.plan(() => false)).toEqual({ steps: [], repairs: [] });
  }
});

test('the path of the override is that of its key', () => {
  expect(overridePath).toBe('/etc/coredns/custom/k3s-doctor-upstream.override');
});
