import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import {
  ownDropInPath,
  ownManifestName,
  ownResolvConfPath,
  type Packaged,
  packagedFact,
} from '../../../src/facts/dns/packaged.ts';
import { dnsNode } from './dns-node.ts';

const folder = '/var/lib/rancher/k3s/server/manifests';

/** In the shape of k3s' own. */
const manifest = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: coredns
  namespace: kube-system
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
    .:53 {
        errors
        import /etc/coredns/custom/*.override
        forward . /etc/resolv.conf
    }
    import /etc/coredns/custom/*.server
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: coredns
`;

async function packaged(
  files: Readonly<Record<string, string>>,
  entries: readonly string[] = ['coredns.yaml'],
): Promise<Packaged> {
  const { context } = await dnsNode({
    edits: {
      host: {
        files: Object.entries(files).map(([path, text]) => ({ path, text })),
        directories: [{ path: folder, entries: [...entries] }],
      },
    },
  });
  return context.get(packagedFact);
}

test('the manifest of a server, and the Corefile in it', async () => {
  expect(await packaged({ [`${folder}/coredns.yaml`]: manifest })).toEqual({
    isServer: true,
    folder,
    manifest,
    corefile: `.:53 {
    errors
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
}
import /etc/coredns/custom/*.server
`,
    isSkipped: false,
    ownManifest: null,
    ownResolvConf: null,
    ownDropIn: null,
    isDisabled: false,
  });
});

test.each([
  ['quoted', (text: string) => text.replace(/\|\n[\s\S]*?---/, '".:53 {\\n}\\n"\n---'), '.:53 {\n}\n'],
  [
    'indented by more',
    (text: string) => text.replace(/^ {4}(?=\S)/gm, '      '),
    expect.stringMatching(/^\.:53/),
  ],
  [
    'without an end',
    (text: string) => text.replace(/\n---\napiVersion: apps[\s\S]*/, ''),
    expect.stringMatching(/server\n?$/),
  ],
  [
    'with empty lines',
    (text: string) => text.replace('errors', 'errors\n\n'),
    expect.stringContaining('errors\n\n'),
  ],
])('a Corefile that is written %s is read as YAML has it', async (_how, edit, expected) => {
  const text = edit(manifest);
  const { corefile } = await packaged({ [`${folder}/coredns.yaml`]: text });
  expect(corefile).toEqual(expected);
  const config = parseAllDocuments(text).map((document) => document.getIn(['data', 'Corefile']));
  expect(config).toContain(corefile);
});

test('an agent has nothing of it', async () => {
  const { context } = await dnsNode({ edits: { host: { directories: [], files: [] } } });
  expect(await context.get(packagedFact)).toMatchObject({
    isServer: false,
    manifest: undefined,
    corefile: undefined,
    isSkipped: false,
  });
});

test('what we have put there', async () => {
  const files = {
    [`${folder}/${ownManifestName}`]: 'kind: Deployment\n',
    [ownResolvConfPath]: 'nameserver 192.0.2.1\n',
    [ownDropInPath]: `resolv-conf: ${ownResolvConfPath}\n`,
  };
  expect(await packaged(files, ['coredns.yaml', 'coredns.yaml.skip', ownManifestName])).toMatchObject({
    isSkipped: true,
    ownManifest: 'kind: Deployment\n',
    ownResolvConf: 'nameserver 192.0.2.1\n',
    ownDropIn: `resolv-conf: ${ownResolvConfPath}\n`,
  });
});

test('CoreDNS that is switched off', async () => {
  expect(await packaged({ '/etc/rancher/k3s/config.yaml': 'disable:\n- coredns\n' })).toMatchObject({
    isDisabled: true,
  });
});

describe('no Corefile is found', () => {
  test.each([
    ['in a text that is no YAML', 'a: [\n---\n'],
    ['in an empty one', ''],
    ['in another ConfigMap', manifest.replaceAll('name: coredns\n', 'name: other\n')],
    ['where it is no text', manifest.replace(/Corefile: \|[\s\S]*?---/, 'Corefile: [1]\n---')],
  ])('%s', async (_where, text) => {
    const found = await packaged({ [`${folder}/coredns.yaml`]: text });
    expect([found.manifest, found.corefile]).toEqual([text, undefined]);
  });
});
