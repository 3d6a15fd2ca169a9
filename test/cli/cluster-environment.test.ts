import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clusterEnvironment } from '../../src/cli/cluster-environment.ts';

test('the way to the cluster is taken from the environment, and nothing else', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.43.0.1', KUBERNETES_SERVICE_PORT: '443' };
  expect(clusterEnvironment({ ...pod, KUBERNETES_SERVICE_TOKEN: 'x', PATH: '/bin' })).toEqual(pod);
});

test('what is not set, or to nothing, is left out', () => {
  expect(clusterEnvironment({ KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' })).toEqual({});
  expect(clusterEnvironment({ KUBECONFIG: ':' })).toEqual({});
});

test('kubeconfigs are named so that they are found from any folder', () => {
  expect(clusterEnvironment({ KUBECONFIG: '/etc/a::b/c' })).toEqual({
    KUBECONFIG: `/etc/a:${join(process.cwd(), 'b/c')}`,
  });
});
