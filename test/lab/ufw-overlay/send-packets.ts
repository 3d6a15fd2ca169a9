import { fileURLToPath } from 'node:url';
import type { LabNode } from '../node/start-node.ts';
import type { OverlayNode } from '../overlay/settle-node.ts';

/**
 * Makes a node send packets of an IP protocol to another one (50: ESP, 51: AH), without a raw socket: a VXLAN device that
 * is a port of its bridge eth0 takes whole frames out of datagrams that the node sends to itself.
 */
export async function packetSender(
  from: OverlayNode<LabNode>,
  to: OverlayNode<LabNode>,
  protocol: 50 | 51,
): Promise<(count: number) => Promise<void>> {
  const inject = `link add inject type vxlan id 99 local 127.0.0.1 dstport ${injectPort} nolearning`;
  await from.run(['ip', '-batch', '-'], { input: `${inject}\nlink set inject master eth0 up\n` });
  const [source, destination] = await Promise.all([macOf(from), macOf(to)]);
  const header = Buffer.concat([bytes(destination), bytes(source), Buffer.from([0x08, 0x00])]);
  return async (count) => {
    const frames = Array.from({ length: count }, (_, i) => {
      const packet = ipPacket(from.addresses.eth0.ipv4, to.addresses.eth0.ipv4, { protocol, id: i + 1 });
      return Buffer.concat([vxlanHeader, header, packet]).toString('hex');
    });
    await from.run([process.execPath, sendDatagram, '127.0.0.1', `${injectPort}`, ...frames]);
  };
}

/**
 * How many packets came to a node's own protocols past all of its rules, and were of one that nobody
 * there speaks: as ESP and AH are on a node without IPsec.
 */
export async function deliveredUnknown(node: LabNode): Promise<number> {
  const [names = '', values = ''] = (await node.readFile('/proc/net/snmp'))
    .split('\n')
    .filter((line) => line.startsWith('Ip: '));
  return Number(values.split(' ')[names.split(' ').indexOf('InUnknownProtos')]);
}

const injectPort = 4799;
const sendDatagram = fileURLToPath(new URL('./send-datagram.ts', import.meta.url));
/** VXLAN number 99. */
const vxlanHeader = Buffer.from('0800000000006300', 'hex');

async function macOf(node: LabNode): Promise<string> {
  return (await node.readFile('/sys/class/net/eth0/address')).trim();
}

function bytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

/** An IPv4 header, and 32 bytes that nobody will read: an index that is not known ends it all. */
function ipPacket(
  source: string,
  destination: string,
  { protocol, id }: { readonly protocol: number; readonly id: number },
): Buffer {
  const packet = Buffer.alloc(52);
  packet.set([0x45, 0, 0, packet.length, 0, id, 0x40, 0, 64, protocol]);
  packet.set(source.split('.').map(Number), 12);
  packet.set(destination.split('.').map(Number), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  // AH says what follows it, and how long it is.
  packet.set(protocol === 51 ? [59, 4] : [0, 0], 20);
  packet.writeUInt32BE(0x1000, protocol === 51 ? 24 : 20);
  return packet;
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += header.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
