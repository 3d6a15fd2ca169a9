import { type Judged, unrepaired } from '../../engine/judged.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import type { Overlay } from '../../facts/overlay.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';

/** What this node announces, against what it has: the others send there. */
export function judgeOwnAddress(
  { family, link, local, mac }: Overlay,
  { self }: ClusterNodes & { kind: 'known' },
  { links }: NetworkReading,
): readonly Judged[] {
  if (self === undefined) return [];
  const { publicIp, publicIpv6, publicIpOverwrite, vtepMac, vtepMacV6 } = self.flannel;
  const announced = family === 'ipv6' ? publicIpv6 : publicIp;
  const announcedMac = family === 'ipv6' ? vtepMacV6 : vtepMac;
  const subject = `node ${self.name} itself ${family}`;
  const judged: Judged[] = [];
  const own = links?.flatMap(({ addresses }) => addresses.map(({ address }) => address));
  // Behind a 1:1 NAT the announced address is not on any link, and k3s was told so.
  const isTold =
    announced !== undefined &&
    (announced === publicIpOverwrite || self.externalAddresses.includes(announced));
  if (announced !== undefined && own !== undefined && !own.includes(announced) && !isTold) {
    judged.push(
      unrepaired(
        {
          code: 'vtep-not-mine',
          subject,
          severity: 'error',
          message: `this node announces ${announced} as its tunnel address, and has no such address`,
          effect: 'loses',
          evidence: [
            {
              source: 'annotation flannel.alpha.coreos.com/public-ip',
              observed: announced,
              ...(local !== undefined && { expected: `${local}, as ${link} uses` }),
            },
          ],
        },
        'restart k3s on this node: Flannel announces its address when it starts',
      ),
    );
  }
  if (announcedMac !== undefined && announcedMac.toLowerCase() !== mac.toLowerCase()) {
    judged.push(
      unrepaired(
        {
          code: 'vtep-other-mac',
          subject: `${subject} MAC`,
          severity: 'error',
          message: `${link} has another MAC address than the one that this node announces: the others' packets are dropped`,
          effect: 'loses',
          evidence: [{ source: `ip link, ${link}`, observed: mac, expected: announcedMac }],
        },
        'restart k3s on this node: Flannel announces its link when it starts',
      ),
    );
  }
  return judged;
}
