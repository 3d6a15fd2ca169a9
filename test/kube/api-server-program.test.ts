import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { endpointSlicesPath, parseEndpointSlices } from '../../src/kube/endpoint-slices.ts';
import { ask, podsPath, temporaryDirectory } from './cluster.ts';

const program = fileURLToPath(new URL('../lab/api-server/main.ts', import.meta.url));
const recorded = fileURLToPath(
  new URL('../../fixtures/kube-proxy-legacy-then-nft/endpointslices.json', import.meta.url),
);

test('the API server runs as a program, and serves what its folder holds', async () => {
  const directory = await temporaryDirectory();
  const kubeconfig = join(directory, 'agent/kubeproxy.kubeconfig');
  const slices = join(directory, `data${endpointSlicesPath}.json`);
  await mkdir(join(slices, '..'), { recursive: true });
  await copyFile(recorded, slices);

  const args = ['--listen', '127.0.0.1:0', '--data', join(directory, 'data'), '--kubeconfig', kubeconfig];
  const server = spawn(process.execPath, [program, ...args, '--style', 'files'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  const [line] = await once(server.stdout, 'data');
  expect(String(line)).toMatch(/^listening on https:\/\/127\.0\.0\.1:\d+\n$/);

  const answer = await ask(kubeconfig, endpointSlicesPath);
  expect(parseEndpointSlices(answer.kind === 'ok' ? answer.body : '')).toMatchObject({ kind: 'parsed' });
  await writeFile(slices, '{"kind":"EndpointSliceList","items":[]}');
  expect(await ask(kubeconfig, endpointSlicesPath)).toMatchObject({
    body: expect.stringContaining('"items":[]'),
  });
  expect(await ask(kubeconfig, podsPath)).toMatchObject({ reason: expect.stringContaining('404') });

  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
});
