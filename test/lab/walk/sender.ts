/**
 * Run as a program on the node, as one of its users: each line it reads is a list of packets to
 * send. Prints a line when all are sent.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const order = z.array(
  z.object({
    protocol: z.enum(['tcp', 'udp']),
    source: z.string(),
    sourcePort: z.number(),
    destination: z.string(),
    destinationPort: z.number(),
  }),
);
type Order = z.infer<typeof order>[number];

for await (const line of createInterface({ input: process.stdin })) {
  const failures: string[] = [];
  for (const packet of order.parse(JSON.parse(line))) {
    const failure = await (packet.protocol === 'udp' ? sendUdp(packet) : sendSyn(packet));
    if (failure !== undefined) failures.push(`${packet.sourcePort}: ${failure}`);
  }
  console.log(JSON.stringify(failures));
}

function sendUdp({ source, sourcePort, destination, destinationPort }: Order): Promise<string | undefined> {
  const socket = createSocket(source.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const done = (failure?: string) => {
      socket.close();
      resolve(failure);
    };
    socket.on('error', ({ message }) => done(message));
    socket.bind({ address: source, port: sourcePort, exclusive: true }, () => {
      socket.send(Buffer.alloc(16), destinationPort, destination, (error) => done(failureOf(error)));
    });
  });
}

async function sendSyn({
  source,
  sourcePort,
  destination,
  destinationPort,
}: Order): Promise<string | undefined> {
  const socket = connect({
    host: destination,
    port: destinationPort,
    localAddress: source,
    localPort: sourcePort,
  });
  let failure: string | undefined;
  socket.on('error', (error) => {
    failure = failureOf(error);
  });
  await delay(1);
  // Not resetAndDestroy, which waits for the connection.
  socket.destroy();
  return failure;
}

/** What rules do comes back as one of many errors; these are the test's own. */
function failureOf(error: NodeJS.ErrnoException | null): string | undefined {
  const code = error?.code ?? '';
  return code.startsWith('ERR_') || code.startsWith('EADDR') ? error?.message : undefined;
}
