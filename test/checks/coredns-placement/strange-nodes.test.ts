import { expect, test } from 'vitest';
import {
  answering,
  diagnose,
  onWorker,
  pod,
  podAt,
  server,
  serverName,
  service,
  silent,
} from './two-nodes.ts';

test('a pod that does not answer, on a node that the API does not know', async () => {
  const { findings } = await diagnose({
    pods: [podAt('lost', 'gone', onWorker)],
    nodes: [server],
    answers: { [onWorker]: silent(onWorker), [service]: silent(service) },
  });
  expect(findings[0]).toMatchObject({
    code: 'coredns-unreachable',
    subject: 'node gone',
    message: expect.stringContaining(`(${onWorker}) does not answer, on a node that the API does not know`),
  });
});

test('a node that may run it and is not ready: it has to come back', async () => {
  const nodes = [{ ...server, ready: false }];
  const { findings } = await diagnose({
    nodes,
    self: null,
    pods: [{ ...podAt('there', serverName, onWorker), ready: false }],
    answers: { [onWorker]: silent(onWorker) },
  });
  expect(findings[0]).toMatchObject({
    code: 'coredns-unreachable',
    remedy: { kind: 'none', reason: expect.stringContaining(`node ${serverName} has to come back`) },
  });
});

test('one of two that is lost: the other one answers, and some questions are lost', async () => {
  const { findings } = await diagnose({
    pods: [podAt('here', serverName, '10.42.0.7'), { ...pod, address: onWorker }],
    answers: { '10.42.0.7': answering('10.42.0.7'), [onWorker]: silent(onWorker) },
  });
  expect(findings.map(({ message }) => message).join('\n')).toContain(
    'questions of pods on this node that go there are lost (1 other answers)',
  );
});
