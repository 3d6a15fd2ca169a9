import { startProcess } from '../node/start-process.ts';
import type { OverlayMember } from './overlay-member.ts';

/**
 * Joins two nodes: a wire between their eth0, and on each a VXLAN device as Flannel makes it, with the
 * route, the neighbour entry and the forwarding entry that lead to the other's pods.
 *
 * @throws Error with what `ip` said.
 */
export async function joinOverlay(first: OverlayMember, second: OverlayMember): Promise<void> {
  // Entered from outside, for only there both are known by their process. Were the index of both ends the
  // same, the kernel would not see a pair in them and would take a second to say that the wire is plugged in.
  const pid = /\d+/.exec(second.network)?.[0] ?? '';
  await ip(first, [`link add wire index 101 type veth peer name wire index 102 netns ${pid}`]);
  await Promise.all([plug(first, second), plug(second, first)]);
}

async function plug(member: OverlayMember, peer: OverlayMember): Promise<void> {
  await ip(member, [
    'link set wire master eth0 up',
    `link add ${vxlan} address ${member.vtepMac} type vxlan id 1 local ${member.address} dev eth0 dstport 8472 nolearning`,
    `addr add ${member.vtep}/32 dev ${vxlan}`,
    `link set ${vxlan} mtu 1450 up`,
    `route add ${peer.podCidr} via ${peer.vtep} dev ${vxlan} onlink`,
    `neigh add ${peer.vtep} lladdr ${peer.vtepMac} dev ${vxlan} nud permanent`,
  ]);
  await bridge(member, [`fdb append ${peer.vtepMac} dev ${vxlan} dst ${peer.address}`]);
  if (!(member.isDualStack && peer.isDualStack)) return;
  await ip(member, [
    `link add ${vxlan6} address ${member.vtepMac6} type vxlan id 1 local ${member.address6} dev eth0 dstport 8472 nolearning udp6zerocsumrx`,
    `addr add ${member.vtep6}/128 dev ${vxlan6} nodad`,
    `link set ${vxlan6} mtu 1430 up`,
    `route add ${peer.podCidr6} via ${peer.vtep6} dev ${vxlan6} onlink`,
    `neigh add ${peer.vtep6} lladdr ${peer.vtepMac6} dev ${vxlan6} nud permanent`,
  ]);
  await bridge(member, [`fdb append ${peer.vtepMac6} dev ${vxlan6} dst ${peer.address6}`]);
}

const vxlan = 'flannel.1';
const vxlan6 = 'flannel-v6.1';

const ip = (member: OverlayMember, lines: readonly string[]) => runBatch('ip', member, lines);
const bridge = (member: OverlayMember, lines: readonly string[]) => runBatch('bridge', member, lines);

async function runBatch(program: string, { network }: OverlayMember, lines: readonly string[]) {
  const command = ['nsenter', `--net=${network}`, program, '-batch', '-'];
  const { exitCode, stderr } = await startProcess(command, { input: `${lines.join('\n')}\n` }).ended;
  if (exitCode !== 0) throw new Error(`${program}: ${stderr}`);
}
