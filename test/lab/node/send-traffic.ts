/** Run as a program: makes one request, given as JSON, and prints what came of it as JSON. */
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { isIPv6 } from 'node:net';
import { z } from 'zod';

const request = z
  .object({
    protocol: z.enum(['http', 'udp']),
    address: z.string(),
    port: z.number(),
    timeoutMs: z.number(),
    localPort: z.number().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

setTimeout(() => finish({ ok: false, reason: 'timeout' }), request.timeoutMs);
if (request.protocol === 'http') sendHttp();
else sendDatagram();

function sendHttp(): void {
  const { address: host, port, localPort } = request;
  const options = { host, port, agent: false, ...(localPort === undefined ? {} : { localPort }) };
  get(options, async (response) => {
    const { localPort: usedPort = 0 } = response.socket;
    let body = '';
    for await (const chunk of response) body += chunk;
    finish({ ok: true, body, localPort: usedPort });
  }).on('error', fail);
}

function sendDatagram(): void {
  const socket = createSocket(isIPv6(request.address) ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.on('message', (message) => {
    finish({ ok: true, body: message.toString(), localPort: socket.address().port });
  });
  // Only a connected socket hears of "port unreachable".
  socket.on('connect', () => socket.send('who is there?'));
  socket.bind(request.localPort ?? 0, () => socket.connect(request.port, request.address));
}

function fail(error: NodeJS.ErrnoException): void {
  const { code = error.message } = error;
  finish({ ok: false, reason: reasons.get(code) ?? code });
}

const reasons = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
]);

function finish(result: object): void {
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
