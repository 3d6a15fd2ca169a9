import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { defaultConfig } from '../../../src/config/config.ts';
import { manifestEditorFact } from '../../../src/facts/dns/manifest-editor.ts';
import { packagedFact } from '../../../src/facts/dns/packaged.ts';
import { pinManifest } from '../../../src/facts/dns/pin-manifest.ts';
import { givenFacts } from '../given-facts.ts';
import { corednsManifest } from './coredns-manifest.ts';

const manifest = corednsManifest('.:53 {\n    forward . /etc/resolv.conf\n}\n');
const controlPlane = { 'node-role.kubernetes.io/control-plane': 'true' };
const affinity = {
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
};

/** The lines that are new, those that are gone marked. */
function difference(before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...now.filter((line) => !old.includes(line)),
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
  ];
}

function pinned(text: string, labels: Readonly<Record<string, string>>, own?: object): string {
  const edited = pinManifest(text, { labels, affinity: own });
  return edited.kind === 'edited' ? edited.text : `unfit: ${edited.reason}`;
}

test('one line is put to the nodeSelector, and no other byte is changed', () => {
  const text = pinned(manifest, controlPlane);
  expect(difference(manifest, text)).toEqual(['        "node-role.kubernetes.io/control-plane": "true"']);
  expect(text.replace('        "node-role.kubernetes.io/control-plane": "true"\n', '')).toBe(manifest);
  expect(text).toContain(
    '      nodeSelector:\n        "node-role.kubernetes.io/control-plane": "true"\n        kubernetes.io/os: linux\n',
  );
});

test('what is pinned stays as it is', () => {
  const text = pinned(manifest, controlPlane);
  expect(pinned(text, controlPlane)).toBe(text);
  expect(pinned(manifest, { 'kubernetes.io/os': 'linux' })).toBe(manifest);
});

test('another value takes the place of the one that is there', () => {
  expect(difference(manifest, pinned(manifest, { 'kubernetes.io/os': 'plan9' }))).toEqual([
    '        kubernetes.io/os: "plan9"',
    '-         kubernetes.io/os: linux',
  ]);
});

test('an affinity, and a nodeSelector where there was none', () => {
  expect(difference(manifest, pinned(manifest, {}, affinity))).toEqual([
    `      affinity: ${JSON.stringify(affinity)}`,
  ]);
  const text = pinned(manifest, {}, affinity);
  expect(pinned(text, {}, affinity)).toBe(text);
  const bare = manifest.replace('      nodeSelector:\n        kubernetes.io/os: linux\n', '');
  expect(difference(bare, pinned(bare, controlPlane))).toEqual([
    '      nodeSelector: {"node-role.kubernetes.io/control-plane":"true"}',
  ]);
});

test.each<[string, string]>([
  ['other line ends', manifest.replaceAll('\n', '\r\n')],
  [
    'a flow mapping',
    manifest.replace(/nodeSelector:\n +kubernetes.io\/os: linux/, 'nodeSelector: {kubernetes.io/os: linux}'),
  ],
  [
    'a comment in between',
    manifest.replace('nodeSelector:\n', 'nodeSelector: # where\n        # only there\n'),
  ],
])('whatever it looks like, it means the same and the pin: %s', (_, text) => {
  const values = (of: string) => parseAllDocuments(of).map((document) => document.toJS());
  const before = values(text);
  const after = values(pinned(text, controlPlane));
  expect(after).toHaveLength(before.length);
  expect(after[2].spec.template.spec.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux', ...controlPlane });
  delete after[2].spec.template.spec.nodeSelector;
  delete before[2].spec.template.spec.nodeSelector;
  expect(after).toEqual(before);
});

test('any labels', () => {
  const label = fc.stringMatching(/^[a-z0-9./-]{1,20}$/);
  const value = fc.oneof(label, fc.constantFrom('true', 'no', '0644', '', '~', 'null', '1e3'));
  fc.assert(
    fc.property(fc.dictionary(label, value, { maxKeys: 4, noNullPrototype: true }), (labels) => {
      const text = pinned(manifest, labels);
      const deployment = parseAllDocuments(text)[2]?.toJS();
      expect(deployment.spec.template.spec.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux', ...labels });
      const added = Object.entries(labels).map(
        ([key, of]) => `        ${JSON.stringify(key)}: ${JSON.stringify(of)}\n`,
      );
      expect(added.reduce((rest, line) => rest.replace(line, ''), text)).toBe(manifest);
    }),
  );
});

describe('a manifest is left alone', () => {
  test.each<[string, string, RegExp]>([
    ['that does not parse', manifest.replace('spec:', 'spec: : ['), /^unfit: it does not parse: /],
    [
      'with k3s’ placeholders',
      manifest.replace('10.43.0.11', '%{CLUSTER_DNS}%'),
      /^unfit: it does not parse: /,
    ],
    ['that is empty', '', /^unfit: it has 0 Deployments/],
    [
      'with no such Deployment',
      manifest.replace('kind: Deployment', 'kind: DaemonSet'),
      /it has 0 Deployments/,
    ],
    [
      'in another namespace',
      manifest.replaceAll('namespace: kube-system', 'namespace: dns'),
      /it has 0 Deployments/,
    ],
    ['with two of them', `${manifest}---\n${manifest}`, /it has 2 Deployments/],
    ['without a template', manifest.replace('  template:', '  templates:'), /its Deployment has no template/],
    [
      'whose nodeSelector is null',
      manifest.replace(/nodeSelector:\n.*/, 'nodeSelector:'),
      /cannot be written into it/,
    ],
    [
      'whose nodeSelector is empty',
      manifest.replace(/nodeSelector:\n.*/, 'nodeSelector: {}'),
      /cannot be written into it/,
    ],
    [
      'whose nodeSelector is an alias',
      manifest
        .replace('labels:\n        k8s', 'labels: &a\n        k8s')
        .replace(/nodeSelector:\n.*/, 'nodeSelector: *a'),
      /cannot be written into it/,
    ],
  ])('%s', (_, text, reason) => {
    expect(pinned(text, controlPlane)).toMatch(reason);
  });

  test('with another affinity', () => {
    const other = manifest.replace(
      '      nodeSelector:',
      '      affinity: {podAffinity: {}}\n      nodeSelector:',
    );
    expect(pinned(other, {}, affinity)).toMatch(/cannot be written into it/);
  });
});

describe('the editor is there', () => {
  const editorOf = async (persist: 'reassert' | 'skip-file', packaged: object) => {
    const { checks, ...config } = defaultConfig();
    const placement = { ...checks['coredns-placement'], persist };
    const context = await givenFacts(
      { [packagedFact.id]: packaged },
      { ...config, checks: { ...checks, 'coredns-placement': placement } },
    );
    return context.get(manifestEditorFact);
  };

  test('where a server is to keep a manifest of ours', async () => {
    expect(await editorOf('skip-file', { isServer: true, manifest })).toBe(pinManifest);
  });

  test.each([
    ['that is not asked for', 'reassert', { isServer: true, manifest }],
    ['this is an agent', 'skip-file', { isServer: false, manifest: undefined }],
    ['there is none to be edited', 'skip-file', { isServer: true, manifest: undefined }],
  ] as const)('and not where %s', async (_, persist, packaged) => {
    expect(await editorOf(persist, packaged)).toBeUndefined();
  });
});
