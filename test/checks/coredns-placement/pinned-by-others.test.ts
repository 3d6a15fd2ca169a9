import { describe, expect, test } from 'vitest';
import { controlPlane, fieldsOf, hostname, onHosts, os, selector } from './plan.ts';
import {
  anotherServer,
  type Changes,
  diagnose,
  server,
  serverName,
  worker,
  workerName,
} from './two-nodes.ts';

describe('what somebody else has pinned', () => {
  const nodes = [worker, server];
  const held = async (changes: Changes) => (await diagnose({ nodes, ...changes })).findings[0]?.remedy;
  const stranger = {
    kind: 'held',
    reason: expect.stringMatching(/^somebody has pinned the Deployment coredns/),
  };

  test.each([
    ['the name of a node', { nodeSelector: { ...os, [hostname]: workerName } }],
    ['a label that no server has', { nodeSelector: { ...os, disk: 'fast' } }],
    ['another value of the same label', { nodeSelector: { ...os, [controlPlane]: 'false' } }],
    ['an affinity to other nodes', { affinity: onHosts(workerName) }],
  ])('is left alone without an order: %s', async (_, pinned) => {
    expect(await held({ deployment: pinned })).toEqual(stranger);
  });

  test('goes where it contradicts an order, and what does not stays', async () => {
    const pinned = { nodeSelector: { ...os, disk: 'fast', 'kubernetes.io/arch': 'amd64' } };
    expect(await fieldsOf({ nodes, deployment: pinned, settings: { nodes: [serverName] } })).toEqual([
      {
        pointer: selector,
        was: pinned.nodeSelector,
        value: { ...os, 'kubernetes.io/arch': 'amd64', [hostname]: serverName },
      },
    ]);
  });

  const terms = (matchExpressions: readonly object[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  });

  test.each([
    ['labels that a server has', terms([{ key: controlPlane, operator: 'Exists' }])],
    ['labels that it has not', terms([{ key: 'gpu', operator: 'DoesNotExist' }])],
    ['other values', terms([{ key: hostname, operator: 'NotIn', values: [workerName] }])],
    ['other pods', { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }],
    ['a preference', { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }],
  ])('an affinity that the pin can stand beside stays: %s', async (_, own) => {
    expect(await fieldsOf({ nodes, deployment: { affinity: own } })).toEqual([
      { pointer: selector, was: os, value: { ...os, [controlPlane]: 'true' } },
    ]);
  });

  test.each([
    ['values that no server has', terms([{ key: 'zone', operator: 'In', values: ['b'] }])],
    ['an operator that is not understood', terms([{ key: 'cores', operator: 'Gt', values: ['4'] }])],
    ['what is no affinity', { nodeAffinity: 'yes' }],
    ['a term for no node', terms([])],
  ])('one that it cannot stand beside is left alone, even by order: %s', async (_, own) => {
    expect(await held({ deployment: { affinity: own } })).toEqual(stranger);
    const settings = { nodes: [serverName] };
    expect(await held({ deployment: { affinity: own }, settings })).toEqual(stranger);
  });

  test('several nodes cannot be named beside any', async () => {
    const changes = {
      nodes: [...nodes, anotherServer('second', 2)],
      settings: { nodes: [serverName, 'second'] },
      deployment: { affinity: terms([{ key: controlPlane, operator: 'Exists' }]) },
    };
    expect(await held(changes)).toEqual({
      kind: 'held',
      reason: expect.stringContaining('an affinity of its own'),
    });
  });
});
