import { describe, expect, test } from 'vitest';
import { liveCorefileFact } from '../../../src/facts/dns/corefile.ts';
import type { Edits } from '../edited-recording.ts';
import { customPath, dnsNode, withCorefile, withCustom } from './dns-node.ts';

async function live(edits: Edits = {}, statuses: Readonly<Record<string, number>> = {}) {
  const { context } = await dnsNode({ edits, statuses });
  return context.get(liveCorefileFact);
}

test('the Corefile of the recording', async () => {
  const found = await live();
  expect(found).toMatchObject({ kind: 'read', domain: 'cluster.local', doubts: [] });
  if (found.kind !== 'read') return;
  expect([...found.files.keys()]).toEqual(['/etc/coredns/NodeHosts']);
  expect(found.forwards.map(({ from, file, isShadowed }) => ({ from, file, isShadowed }))).toEqual([
    { from: '.', file: undefined, isShadowed: false },
  ]);
});

test('what is in coredns-custom is put in where it is imported', async () => {
  const found = await live(withCustom({ 'x.override': 'forward . 192.0.2.1\n', 'notes.txt': 'nothing' }), {});
  if (found.kind !== 'read') throw new Error(JSON.stringify(found));
  expect([...found.files.keys()]).toEqual([
    '/etc/coredns/NodeHosts',
    '/etc/coredns/custom/x.override',
    '/etc/coredns/custom/notes.txt',
  ]);
  expect(found.forwards.map(({ file, isShadowed }) => ({ file, isShadowed }))).toEqual([
    { file: undefined, isShadowed: false },
    { file: '/etc/coredns/custom/x.override', isShadowed: true },
  ]);
});

describe('there is', () => {
  test('a doubt where coredns-custom may not be read', async () => {
    const found = await live({}, { [customPath]: 403 });
    expect(found).toMatchObject({
      kind: 'read',
      doubts: [
        'ConfigMap coredns-custom could not be read, and what it adds is not known: needs: get configmaps in kube-system',
      ],
    });
  });

  test('a doubt where something in coredns-custom is no text', async () => {
    const { texts, host } = withCustom({});
    const body = JSON.stringify({
      metadata: { name: 'coredns-custom' },
      binaryData: { 'x.override': '/w==' },
    });
    const found = await live({ texts: { ...texts, custom: () => body }, ...(host && { host }) });
    expect(found).toMatchObject({
      doubts: ['coredns-custom, key x.override is binaryData: what it adds is not known'],
    });
  });

  test('none that can be read where a brace is missing', async () => {
    const found = await live(withCorefile(() => '.:53 {\n    errors\n'));
    expect(found).toMatchObject({
      kind: 'broken',
      file: undefined,
      reason: expect.stringMatching(/line \d/),
    });
  });

  test('none that CoreDNS would take where a custom file serves the same again, which is named', async () => {
    const found = await live(withCustom({ 'x.server': '.:53 {\n    forward . 192.0.2.1\n}\n' }), {});
    expect(found).toMatchObject({ kind: 'broken', file: '/etc/coredns/custom/x.server' });
  });

  test('none without the ConfigMap', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/coredns';
    expect(await live({}, { [path]: 404 })).toEqual({
      kind: 'absent',
      reason: 'there is no ConfigMap coredns in kube-system',
    });
    expect(await live({}, { [path]: 403 })).toEqual({
      kind: 'unavailable',
      reason: 'needs: get configmaps in kube-system',
      forbidden: true,
    });
  });

  test('none in a ConfigMap without that key', async () => {
    const none = { texts: { 'coredns.json': () => '{"metadata":{"name":"coredns"}}' } };
    expect(await live(none)).toEqual({ kind: 'absent', reason: 'ConfigMap coredns holds no Corefile' });
  });
});
