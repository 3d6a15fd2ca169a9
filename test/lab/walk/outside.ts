/**
 * Run as a program where the other ends of the node's wires are. Each line it reads is a list of
 * frames; it sends them one after the other, waits until they and all that they caused are through,
 * and prints what came back meanwhile.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { fence, outsideAddress, outsidePort, underlayAddress, vxlanPort } from './network-script.ts';

const order = z.array(z.tuple([z.number(), z.string()]));

const socket = createSocket('udp4');
socket.bind(outsidePort, outsideAddress);
await once(socket, 'listening');
socket.setRecvBufferSize(4_000_000);

let received: [wire: number, frame: string][] = [];
let passed = -1;
let fences = 0;
socket.on('message', (message) => {
  const wire = message.readUIntBE(4, 3);
  if (wire === fence.out) passed = Math.max(passed, message.readUInt32BE(22));
  else received.push([wire, message.subarray(8).toString('base64')]);
});

for await (const line of createInterface({ input: process.stdin })) {
  for (const [wire, frame] of order.parse(JSON.parse(line))) send(wire, Buffer.from(frame, 'base64'));
  // Twice: what the frames caused is queued behind the first.
  await pass();
  await pass();
  console.log(JSON.stringify(received));
  received = [];
}
socket.close();

/** A frame that goes through the underlay alone, behind all others. It may be lost while links come up. */
async function pass(): Promise<void> {
  const number = fences++;
  for (let attempt = 0; attempt < 200; attempt++) {
    const frame = Buffer.alloc(60);
    frame.fill(0xff, 0, 6);
    frame.set([2, 0, 0, 0, 0, 0x99, 0x88, 0xb5], 6);
    frame.writeUInt32BE(number, 14);
    send(fence.in, frame);
    for (let turn = 0; turn < 20 && passed < number; turn++) await delay(turn < 10 ? 0 : 1);
    if (passed >= number) return;
  }
  throw new Error('the underlay loses all frames');
}

function send(wire: number, frame: Uint8Array): void {
  const header = Buffer.alloc(8);
  header[0] = 0x08;
  header.writeUIntBE(wire, 4, 3);
  socket.send([header, frame], vxlanPort, underlayAddress);
}
