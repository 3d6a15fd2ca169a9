import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { httpGet } from '../../src/host/http-get.ts';

async function listening(server: Server): Promise<string> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

function web(listener: RequestListener): Promise<string> {
  return listening(createServer(listener));
}

test('the body of what is there', async () => {
  const asked: string[] = [];
  const url = await web((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.write('coredns_a_total 1\n');
    setTimeout(() => response.end('ä\n'), 20);
  });
  expect(await httpGet(`${url}/metrics`, 1000)).toEqual({ kind: 'ok', body: 'coredns_a_total 1\nä\n' });
  expect(asked).toEqual(['GET /metrics']);
});

test.each([404, 500, 204])('status %i is no answer', async (status) => {
  const url = await web((_, response) => response.writeHead(status).end('words'));
  expect(await httpGet(url, 1000)).toEqual({ kind: 'unavailable', reason: `it answered ${status}` });
});

test('a redirect is not followed', async () => {
  let asked = 0;
  const url = await web((_, response) => {
    asked += 1;
    response.writeHead(302, { location: '/else' }).end();
  });
  expect(await httpGet(url, 1000)).toEqual({ kind: 'unavailable', reason: 'it answered 302' });
  expect(asked).toBe(1);
});

test('silence, and a body that does not end, are left at the deadline', async () => {
  const silent = await web(() => undefined);
  expect(await httpGet(silent, 100)).toEqual({ kind: 'unavailable', reason: 'no answer in 0.1 s' });
  const drip = await web((_, response) => {
    const timer = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(timer));
  });
  expect(await httpGet(drip, 150)).toEqual({ kind: 'unavailable', reason: 'no answer in 0.15 s' });
});

test('more than 4 MiB are not taken', async () => {
  let sent = 0;
  const url = await web((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
      response.once('drain', more);
    };
    more();
  });
  expect(await httpGet(url, 10_000)).toEqual({ kind: 'unavailable', reason: 'it answered more than 4 MiB' });
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test('nobody there, a connection that is cut, and no HTTP', async () => {
  expect(await httpGet('http://127.0.0.9:9/', 1000)).toEqual({
    kind: 'unavailable',
    reason: 'refused: nobody listens there, or a firewall rejects it (ECONNREFUSED)',
  });
  const cutting = await listening(createTcpServer((socket) => socket.resetAndDestroy()));
  expect(await httpGet(cutting, 1000)).toMatchObject({ reason: expect.stringContaining('ECONNRESET') });
  const half = await web((_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
  });
  expect(await httpGet(half, 1000)).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('ECONNRESET'),
  });
  const other = await listening(
    createTcpServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n')),
  );
  expect(await httpGet(other, 1000)).toEqual({
    kind: 'unavailable',
    reason: expect.stringMatching(/^it does not speak HTTP \(HPE_\w+\)$/),
  });
});

test.each(['https://127.0.0.1/', 'file:///etc/passwd', 'words', ''])('%j is not asked', async (url) => {
  expect(await httpGet(url, 1000)).toEqual({ kind: 'unavailable', reason: 'not an http URL' });
});

test('nothing stays open', async () => {
  const server = createServer((_, response) => response.end('x'));
  const url = await listening(server);
  await httpGet(url, 1000);
  await vi.waitFor(async () => {
    const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    expect(open).toBe(0);
  });
});
