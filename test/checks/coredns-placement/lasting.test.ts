import { describe, expect, test } from 'vitest';
import { corednsManifest } from '../../facts/dns/coredns-manifest.ts';
import {
  answering,
  type Changes,
  configMap,
  corefile,
  diagnose,
  findingsOf,
  onServer,
  packaged,
  podAt,
  readCorefile,
  reasonOf,
  server,
  serverName,
  service,
  worker,
} from './two-nodes.ts';

const { folder } = packaged;
const manifest = corednsManifest(corefile);
const label = 'node-role.kubernetes.io/control-plane';
const skip = {
  kind: 'file-write',
  path: `${folder}/coredns.yaml.skip`,
  content: '# k3s leaves coredns.yaml alone while this is here: coredns-k3s-doctor.yaml takes its place.\n',
  basedOn: null,
  mode: 0o600,
};
const head = [
  '# Written by k3s-doctor (check coredns-placement): coredns.yaml of k3s v1.34.2+k3s1 with a pin.',
  '# In force while coredns.yaml.skip is here. When k3s is upgraded this stays as it is; when the pin changes it is written anew.',
  '',
].join('\n');
const own = `${head}${manifest.replace('nodeSelector:\n', `nodeSelector:\n        "${label}": "true"\n`)}`;
const ownFile = {
  kind: 'file-write',
  path: `${folder}/coredns-k3s-doctor.yaml`,
  content: own,
  basedOn: null,
  mode: 0o600,
};

/** The import stands ahead of forward, as in a k3s of late 2025: forwarders are repaired elsewhere. */
const modern = readCorefile(
  '.:53 {\n kubernetes cluster.local\n import /etc/coredns/custom/*.override\n forward . /etc/resolv.conf\n}\n',
);
const onDisk = { manifest, corefile };
const lasting: Changes = { settings: { persist: 'skip-file' }, packaged: onDisk, corefile: modern };
const pinned: Changes = {
  ...lasting,
  deployment: { nodeSelector: { 'kubernetes.io/os': 'linux', [label]: 'true' } },
  pods: [podAt('coredns-new', serverName, onServer)],
  answers: { [onServer]: answering(onServer), [service]: answering(service) },
};

async function filesOf(changes: Changes): Promise<readonly unknown[]> {
  const { plan } = await diagnose(changes);
  return plan(() => true).steps.filter(({ kind }) => kind === 'file-write');
}

test('skip-file: the marker and a manifest of ours, after the move is proven', async () => {
  const { findings, plan } = await diagnose(lasting);
  const { steps } = plan(() => true);
  expect(steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait', 'file-write', 'file-write']);
  expect(steps.slice(3)).toEqual([skip, ownFile]);
  expect(findings[0]?.evidence.at(-1)?.observed).toContain('a manifest of ours makes it last');
  // NodeHosts is k3s' to write, and in no manifest.
  expect(own).not.toContain(configMap.data['NodeHosts'] ?? 'NodeHosts:');
});

test('reassert: no file, and it is said that k3s takes the pin away', async () => {
  const { findings, plan } = await diagnose({ ...lasting, settings: {} });
  expect(plan(() => true).steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait']);
  expect(findings[0]?.evidence.at(-1)?.observed).toContain('a k3s server that starts may take the pin away');
});

describe('no file is written', () => {
  test.each<[string, object]>([
    ['on an agent', { isServer: false, manifest: undefined }],
    ['where CoreDNS of k3s is switched off', { isDisabled: true }],
    ['where somebody keeps k3s from its manifest himself', { isSkipped: true }],
    ['where both are there', { isSkipped: true, ownManifest: own }],
  ])('%s', async (_, changes) => {
    expect(await filesOf({ ...lasting, packaged: { ...onDisk, ...changes } })).toEqual([]);
    expect(await findingsOf({ ...pinned, packaged: { ...onDisk, ...changes } })).toEqual([
      'warning coredns-single (CoreDNS): none',
    ]);
  });

  test.each<[string, Changes, RegExp]>([
    [
      'without a manifest',
      { packaged: { manifest: undefined, corefile } },
      /there is no .*\/coredns\.yaml to be pinned/,
    ],
    [
      'into one that does not parse',
      { packaged: { manifest: 'spec: : [', corefile } },
      /coredns\.yaml: it does not parse/,
    ],
    [
      'that would put another Corefile in place',
      { packaged: { manifest, corefile: 'another' } },
      /the live Corefile is not the one in/,
    ],
    [
      'while the Corefile may have to be changed first',
      { corefile: readCorefile(corefile) },
      /written by the next run: dns-forwarders may have to change the Corefile first/,
    ],
  ])('%s; the move goes on without', async (_, changes, reason) => {
    const { findings, plan } = await diagnose({ ...lasting, ...changes });
    expect(plan(() => true).steps.map(({ kind }) => kind)).toEqual(['kube-patch', 'wait', 'wait']);
    expect(findings[0]?.evidence.at(-1)?.observed).toMatch(reason);
    expect(await reasonOf('coredns-pin-not-lasting', { ...pinned, ...changes })).toMatch(reason);
  });
});

describe('a pin that is there and does not last', () => {
  test('gets its files, and nothing is moved', async () => {
    const { findings, plan } = await diagnose(pinned);
    expect(findings).toContainEqual({
      code: 'coredns-pin-not-lasting',
      subject: `manifest in ${folder}`,
      severity: 'warning',
      message: 'CoreDNS is pinned, and k3s may take the pin away when it starts on this server',
      effect: 'dormant',
      evidence: [
        { source: `${folder}/coredns.yaml.skip`, observed: 'not there', expected: 'there' },
        { source: `${folder}/coredns-k3s-doctor.yaml`, observed: 'without this pin', expected: 'with it' },
      ],
      remedy: { kind: 'planned' },
    });
    expect(plan(() => true).steps).toEqual([skip, ownFile]);
    expect(plan(() => false).steps).toEqual([]);
  });

  test('is not spoken of where it was not to last', async () => {
    expect(await findingsOf({ ...pinned, settings: {} })).toEqual(['warning coredns-single (CoreDNS): none']);
  });

  test('gets what is missing', async () => {
    const marked = { ...onDisk, isSkipped: true, ownManifest: head + manifest };
    expect(await filesOf({ ...pinned, packaged: marked })).toEqual([
      { ...ownFile, basedOn: head + manifest },
    ]);
    expect(await filesOf({ ...pinned, packaged: { ...onDisk, ownManifest: own } })).toEqual([skip]);
    const broken = { ...onDisk, manifest: 'spec: : [', ownManifest: own };
    expect(await filesOf({ ...pinned, packaged: broken })).toEqual([skip]);
  });

  test('keeps what somebody wrote into our manifest beside the pin', async () => {
    const edited = own.replace('1.12.3', '1.13.0');
    expect(
      await filesOf({ ...pinned, packaged: { ...onDisk, isSkipped: true, ownManifest: edited } }),
    ).toEqual([]);
  });

  test('with a Corefile that works need not wait for another run', async () => {
    const old = { corefile: readCorefile(corefile) };
    expect(await filesOf({ ...pinned, ...old })).toEqual([]);
    expect(await filesOf({ ...pinned, ...old, world: { [onServer]: answering(onServer) } })).toEqual([
      skip,
      ownFile,
    ]);
  });
});

describe('k3s was upgraded, and its manifest of CoreDNS was not', () => {
  const done = { ...onDisk, isSkipped: true, ownManifest: own };
  const upgraded = { nodes: [worker, { ...server, version: 'v1.35.1+k3s1' }] };

  test('is said, with what to do', async () => {
    const { findings } = await diagnose({ ...pinned, ...upgraded, packaged: done });
    expect(findings).toContainEqual({
      code: 'coredns-manifest-old',
      subject: `manifest in ${folder}`,
      severity: 'info',
      message:
        'CoreDNS is still that of k3s v1.34.2+k3s1, as k3s v1.35.1+k3s1 was told to leave its manifest alone',
      effect: 'idle',
      evidence: [
        { source: `${folder}/coredns-k3s-doctor.yaml`, observed: 'v1.34.2+k3s1', expected: 'v1.35.1+k3s1' },
      ],
      remedy: { kind: 'none', reason: expect.stringContaining('restart k3s when it suits') },
    });
  });

  test('is still known when the pin is written anew, from the same old manifest', async () => {
    const changes = { ...pinned, ...upgraded, packaged: { ...done, ownManifest: head + manifest } };
    expect(await filesOf(changes)).toEqual([{ ...ownFile, basedOn: head + manifest }]);
  });

  test.each<[string, Changes]>([
    ['the same version', { packaged: done }],
    ['nothing is skipped', { ...upgraded, packaged: { ...done, isSkipped: false } }],
    ['a version that is not known', { nodes: [worker, { ...server, version: undefined }], packaged: done }],
  ])('and not with %s', async (_, changes) => {
    const found = await findingsOf({ ...pinned, ...changes });
    expect(found.filter((line) => line.includes('coredns-manifest-old'))).toEqual([]);
  });
});
