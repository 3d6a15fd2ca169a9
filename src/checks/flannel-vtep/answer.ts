import { unrepaired } from '../../engine/judged.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import { type FlowFate, walkFlow } from '../../netfilter/walk/walk-flow.ts';
import { type Judge, nameOf, problem, type Seen } from './seen.ts';

/** No cause was found here: what is left is on the way, or at the other end. */
export const judgeAnswer: Judge = (seen, answer) => {
  const { peer, overlay } = seen;
  const evidence = [{ source: `ping ${peer.inner} over ${overlay.link}`, observed: answer ?? 'not asked' }];
  const fate = walkTunnel(seen);
  if (answer === 'silent' && fate?.end && fate.verdict !== 'pass' && fate.verdict !== 'unknown') {
    if (seen.leavesFirewall) return [];
    const message = `this node drops the tunnel packets of ${nameOf(seen)}: ${decisionWords(fate.end.decidedBy)}`;
    return [
      unrepaired(
        problem(seen, 'vtep-silent', message, evidence),
        'switch ufw-overlay on: it opens what is missing',
      ),
    ];
  }
  if (answer === 'silent') {
    const message = `${nameOf(seen)} does not answer over the overlay, and nothing on this node says why`;
    const todo = `run "doctor check ufw-overlay flannel-vtep" there: its firewall, or one between, may drop ${overlay.port}/udp from ${overlay.local ?? 'here'}`;
    return [unrepaired(problem(seen, 'vtep-silent', message, evidence), todo)];
  }
  if (answer !== 'small-only') return [];
  const message = `${nameOf(seen)} gets small packets over the overlay, and no full ones (MTU ${overlay.mtu})`;
  const todo = 'make the MTU of the links between the nodes the same, or lower the one of the overlay';
  return [unrepaired(problem(seen, 'vtep-mtu', message, evidence), todo)];
};

/** What this node's own rules do to the packets that the other one sends. */
function walkTunnel({ firewall, overlay, peer }: Seen): FlowFate | undefined {
  const { family, local, port } = overlay;
  const { tunnelAddress } = peer;
  if (local === undefined || tunnelAddress === undefined) return undefined;
  if (isIpv6(local) !== isIpv6(tunnelAddress)) return undefined;
  const flow = {
    family,
    source: tunnelAddress,
    destination: local,
    protocol: 'udp',
    ports: [port, port],
    sourcePorts: [32_768, 60_999],
  } as const;
  return walkFlow(firewall, flow, 'NEW');
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}
