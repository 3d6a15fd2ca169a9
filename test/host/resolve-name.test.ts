import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { resolveName } from '../../src/host/resolve-name.ts';

/** A DNS server on loopback that gives every question the same answer, or none. */
async function dnsServer(answer: { code?: number; addresses?: readonly string[] } | 'silence') {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const asked: Buffer[] = [];
  socket.on('message', (question, { address, port }) => {
    asked.push(question);
    if (answer !== 'silence') socket.send(reply(question, answer), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

/** RFC 1035: the header and the question as they came, then an A record each. */
function reply(
  question: Buffer,
  { code = 0, addresses = [] }: { code?: number; addresses?: readonly string[] },
) {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt16BE(0, 10);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([head, ...records]);
}

const name = 'kubernetes.default.svc.cluster.local';

test('the addresses that the server gives', async () => {
  const { server, asked } = await dnsServer({ addresses: ['10.43.0.1', '10.43.0.2'] });
  expect(await resolveName({ server, name, timeoutMs: 2000 })).toEqual({
    kind: 'answered',
    addresses: ['10.43.0.1', '10.43.0.2'],
  });
  expect(asked).toHaveLength(1);
});

test.each([
  [{ code: 3 }, `says that there is no name ${name}`],
  [{ code: 5 }, 'refuses to answer'],
  [{ code: 2 }, 'says that it failed'],
  [{}, `knows no IPv4 address of ${name}`],
])('answer %j is none', async (answer, reason) => {
  const { server } = await dnsServer(answer);
  expect(await resolveName({ server, name, timeoutMs: 2000 })).toEqual({
    kind: 'no-answer',
    reason: `${server} ${reason}`,
  });
});

test('a server that says nothing is asked once and left after the deadline', async () => {
  const { server, asked } = await dnsServer('silence');
  expect(await resolveName({ server, name, timeoutMs: 150 })).toEqual({
    kind: 'no-answer',
    reason: `${server} did not answer in 0.15 s`,
  });
  expect(asked).toHaveLength(1);
});

test('nobody there, and no address', async () => {
  const { server } = await dnsServer('silence');
  const closed = server.replace('127.0.0.1', '127.0.0.9');
  expect(await resolveName({ server: closed, name, timeoutMs: 2000 })).toEqual({
    kind: 'no-answer',
    reason: `nobody answers on ${closed}`,
  });
  expect(await resolveName({ server: 'dns.example', name, timeoutMs: 10 })).toEqual({
    kind: 'no-answer',
    reason: 'dns.example is no IP address',
  });
});

test('after the answer, or without one, nothing keeps the process', async () => {
  const { server } = await dnsServer('silence');
  const module = fileURLToPath(new URL('../../src/host/resolve-name.ts', import.meta.url));
  const program = `
    const { resolveName } = await import(${JSON.stringify(module)});
    console.log((await resolveName({ server: '${server}', name: 'a.example', timeoutMs: 50 })).kind);`;
  const args = ['--input-type=module', '--eval', program];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 4000 })).toBe('no-answer\n');
});
