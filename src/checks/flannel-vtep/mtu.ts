import { type Judged, unrepaired } from '../../engine/judged.ts';
import type { Overlay } from '../../facts/overlay.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';

/** Outer Ethernet, IP, UDP and VXLAN headers. */
const overhead = { ipv4: 50, ipv6: 70 } as const;

/** A full packet of the overlay has to fit into one of the link below it. */
export function judgeMtu(
  { link, family, mtu, underlay }: Overlay,
  { links }: NetworkReading,
): readonly Judged[] {
  const below = links?.find(({ name }) => name === underlay);
  if (below === undefined || mtu + overhead[family] <= below.mtu) return [];
  const fits = below.mtu - overhead[family];
  return [
    unrepaired(
      {
        code: 'vtep-mtu',
        subject: `link ${link}`,
        severity: 'error',
        message: `full packets of ${link} do not fit into ${below.name}: ping works, and transfers hang`,
        effect: 'loses',
        evidence: [
          {
            source: 'ip link',
            observed: `${link} has MTU ${mtu}, ${below.name} has ${below.mtu}`,
            expected: `at most ${fits}`,
          },
        ],
      },
      `raise the MTU of ${below.name}, or restart k3s, whose Flannel takes ${fits} from it when it starts`,
    ),
  ];
}
