import type { Evidence } from '../../engine/finding.ts';
import { type Judged, repaired, unrepaired } from '../../engine/judged.ts';
import type { Step } from '../../engine/step.ts';
import { type ChecksumSigns, udevRulePath } from '../../facts/checksum-signs.ts';
import type { Overlay } from '../../facts/overlay.ts';

/**
 * Kernels before 5.7 compute a wrong checksum for tunnel packets whose port NAT changes, and some virtual
 * network cards do it on any kernel: what goes to a Service on another node is lost, what goes to a pod
 * there is not. Without offload the checksum is right.
 */
export function judgeChecksums(
  overlay: Overlay,
  { kernel, received, udevRules }: ChecksumSigns,
): readonly Judged[] {
  const { link, checksumOffload, underlayDriver } = overlay;
  if (checksumOffload !== 'on') return received >= many ? [receivedBad(overlay, received)] : [];
  const causes: Evidence[] = [
    ...(kernel !== undefined && isOlderThan(kernel, 5, 7)
      ? [{ source: 'kernel', observed: kernel, expected: '5.7 or newer' }]
      : []),
    ...(underlayDriver === 'vmxnet3'
      ? [{ source: `driver of ${overlay.underlay}`, observed: 'vmxnet3, which is known for it' }]
      : []),
  ];
  if (causes.length === 0) return received >= many ? [receivedBad(overlay, received)] : [];
  const evidence = [{ source: `ethtool -k ${link}`, observed: `${feature}: on`, expected: 'off' }, ...causes];
  const message = `${link} leaves checksums to hardware that gets them wrong: what goes to Services on other nodes is lost`;
  const finding = {
    code: 'vtep-checksum-offload',
    subject: `link ${link} checksums`,
    severity: 'error' as const,
    message,
    effect: 'loses' as const,
    evidence,
  };
  return [repaired(finding, [udevRule(link, udevRules.get(link) ?? null), switchOff(link)])];
}

const feature = 'tx-checksum-ip-generic';

/** A few are noise of the line. */
const many = 100;

function receivedBad({ link }: Overlay, received: number): Judged {
  return unrepaired(
    {
      code: 'vtep-bad-checksums',
      subject: `link ${link} received checksums`,
      severity: 'warning',
      message: `${received} UDP packets came to this node with a wrong checksum: another node's offload may be at fault`,
      effect: 'loses',
      evidence: [{ source: '/proc/net/snmp', observed: `Udp InCsumErrors ${received}` }],
    },
    `on the other nodes: ethtool -K ${link} ${feature} off; if that heals it, k3s-doctor's udev rule keeps it so`,
  );
}

function isOlderThan(release: string, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (first === undefined || second === undefined) return false;
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}

/** Flannel makes the link anew at times; udev sets it again then. */
function udevRule(link: string, basedOn: string | null): Step {
  const content = [
    '# Written by k3s-doctor (check flannel-vtep). Checksums of tunnel packets are wrong when the hardware makes them.',
    `SUBSYSTEM=="net", ACTION=="add|change|move", ENV{INTERFACE}=="${link}", RUN+="/usr/sbin/ethtool -K ${link} ${feature} off"`,
    '',
  ].join('\n');
  return { kind: 'file-write', path: udevRulePath(link), content, basedOn, mode: 0o644 };
}

function switchOff(link: string): Step {
  return { kind: 'link-entry', link, table: 'feature', key: feature, was: 'on', value: 'off' };
}
