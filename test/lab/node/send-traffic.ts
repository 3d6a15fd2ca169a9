/**
 * Run as a program: PROTOCOL ADDRESS PORT TIMEOUT_MS LOCAL_PORT (0 for any). Makes one request and
 * prints what came of it as JSON. It imports no package: that would take longer than the request.
 */
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { isIPv6 } from 'node:net';

const [protocol, address = '', ...numbers] = process.argv.slice(2);
const [port = 0, timeoutMs = 0, localPort = 0] = numbers.map(Number);

setTimeout(() => finish({ ok: false, reason: 'timeout' }), timeoutMs);
if (protocol === 'udp') sendDatagram();
else sendHttp();

function sendHttp(): void {
  const from = localPort === 0 ? {} : { localPort };
  get({ host: address, port, agent: false, ...from }, async (response) => {
    const usedPort = response.socket.localPort;
    let body = '';
    for await (const chunk of response) body += chunk;
    finish({ ok: true, body, localPort: usedPort });
  }).on('error', fail);
}

function sendDatagram(): void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.on('message', (message) => {
    finish({ ok: true, body: message.toString(), localPort: socket.address().port });
  });
  // Only a connected socket hears of "port unreachable".
  socket.on('connect', () => socket.send('who is there?'));
  socket.bind(localPort, () => socket.connect(port, address));
}

function fail(error: NodeJS.ErrnoException): void {
  const { code = error.message } = error;
  finish({ ok: false, reason: nameOf(code) });
}

function nameOf(code: string): string {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET') return 'reset';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'unreachable';
  return code;
}

function finish(result: object): void {
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
