import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connectTcp } from '../../src/host/connect-tcp.ts';

/** Listens on loopback; `clients` are the ports that connections came from. */
async function listener(address = '127.0.0.1') {
  const clients: (number | undefined)[] = [];
  const closed = Promise.withResolvers<undefined>();
  const server = createServer((socket) => {
    clients.push(socket.remotePort);
    socket.on('close', () => closed.resolve(undefined));
    socket.on('error', () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { port, clients, closed: closed.promise, server };
}

test.each(['127.0.0.1', '::1'])(
  'a connection to %s is opened, closed, and its local port told',
  async (address) => {
    const { port, clients, closed } = await listener(address);
    const result = await connectTcp({ address, port, timeoutMs: 2000 });
    await closed;
    expect(clients).toHaveLength(1);
    expect(result).toEqual({ kind: 'connected', localPort: clients[0] });
  },
);

test('a refusal is told with the local port that was used', async () => {
  const { port, server } = await listener();
  await new Promise((resolve) => server.close(resolve));
  const result = await connectTcp({ address: '127.0.0.1', port, timeoutMs: 2000 });
  expect(result).toEqual({ kind: 'refused', localPort: expect.any(Number) });
});

test('an address that cannot be connected to is not tried', async () => {
  expect(await connectTcp({ address: '255.255.255.255', port: 80, timeoutMs: 500 })).toMatchObject({
    kind: 'not-tried',
  });
});

test.skipIf(process.getuid?.() !== 0)(
  'in a network of its own: silence is no answer, with the local port that was used; no route is not tried',
  () => {
    const module = fileURLToPath(new URL('../../src/host/connect-tcp.ts', import.meta.url));
    const program = `
      const { connectTcp } = await import(${JSON.stringify(module)});
      const [silent, unrouted] = await Promise.all(
        ['10.99.0.9', '10.98.0.9'].map((address) => connectTcp({ address, port: 80, timeoutMs: 300 })));
      console.log(JSON.stringify([silent, unrouted]));`;
    const script = `
      ip link set lo up && ip link add silent0 type veth peer name silent1 &&
      ip link set silent0 up && ip link set silent1 up &&
      ip addr add 10.99.0.1/24 dev silent0 &&
      ip neigh add 10.99.0.9 lladdr 02:00:00:00:00:09 dev silent0 && exec "$@"`;
    const output = execFileSync(
      'unshare',
      ['--net', 'sh', '-ec', script, 'sh', process.execPath, '--input-type=module', '--eval', program],
      { encoding: 'utf8', timeout: 10_000 },
    );
    const [silent, unrouted]: unknown[] = JSON.parse(output);
    expect(silent).toEqual({ kind: 'no-answer', localPort: expect.any(Number) });
    expect(unrouted).toEqual({ kind: 'not-tried', reason: expect.stringContaining('ENETUNREACH') });
  },
);
