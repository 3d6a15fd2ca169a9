import { expect, test } from 'vitest';
import { ask, startCluster } from './cluster.ts';

const pod = '/api/v1/namespaces/kube-system/pods/coredns-1';

test('the log of a pod is plain text, and the pod itself is not', async () => {
  const log = '.:53\n[FATAL] plugin/loop: Loop (127.0.0.1:44554 -> :53) detected for zone "."\n';
  const cluster = await startCluster({ read: (path) => (path.startsWith(pod) ? log : undefined) });
  const kubeconfig = await cluster.kubeconfig('k3s.yaml');
  const answer = await ask(kubeconfig, `${pod}/log?tailLines=1000&container=coredns&previous=true`);
  expect(answer).toMatchObject({ kind: 'ok', body: log });
  expect(cluster.server.requests.at(-1)?.path).toBe(
    `${pod}/log?tailLines=1000&container=coredns&previous=true`,
  );
  expect(await ask(kubeconfig, pod)).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('JSON'),
  });
});
