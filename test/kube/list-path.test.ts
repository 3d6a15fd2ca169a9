import { expect, test } from 'vitest';
import { isListPath } from '../../src/kube/list-path.ts';

test.each([
  '/api/v1/pods',
  '/api/v1/namespaces',
  '/api/v1/namespaces/kube-system/configmaps',
  '/apis/discovery.k8s.io/v1/endpointslices',
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
])('%s is a list', (path) => {
  expect(isListPath(path)).toBe(true);
});

test.each([
  '/version',
  '/readyz?verbose',
  '/api/v1',
  '/apis/discovery.k8s.io/v1',
  '/api/v1/nodes/n1',
  '/api/v1/namespaces/kube-system',
  '/api/v1/namespaces/kube-system/configmaps/coredns',
  '/apis/apps/v1/namespaces/kube-system/deployments/coredns',
  '/api/v1/pods?limit=5',
])('%s is none', (path) => {
  expect(isListPath(path)).toBe(false);
});
