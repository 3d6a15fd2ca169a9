import type { Fact } from '../engine/fact.ts';
import { overlaysFact } from './overlay.ts';

/** What hints at tunnel packets with wrong checksums. */
export interface ChecksumSigns {
  /** `5.4.0-150-generic`; undefined: not readable. */
  readonly kernel: string | undefined;
  /** UDP packets that came with a wrong checksum since boot, both families. */
  readonly received: number;
  /** What this product's udev rule for a link is now, by link; null: there is none. */
  readonly udevRules: ReadonlyMap<string, string | null>;
}

export function udevRulePath(link: string): string {
  return `/etc/udev/rules.d/90-k3s-doctor-${link}.rules`;
}

export const checksumSignsFact: Fact<ChecksumSigns> = {
  id: 'checksum-signs',
  async gather({ host, get }) {
    const [release, snmp, snmp6] = await Promise.all(
      ['/proc/sys/kernel/osrelease', '/proc/net/snmp', '/proc/net/snmp6'].map((path) => host.readFile(path)),
    );
    const text = (file: typeof release) => (file?.kind === 'read' ? file.text : '');
    const ipv6 = Number(/^Udp6InCsumErrors\s+(\d+)/m.exec(text(snmp6))?.[1] ?? 0);
    const rules = (await get(overlaysFact)).map(async ({ link }) => {
      const file = await host.readFile(udevRulePath(link));
      return [link, file.kind === 'read' ? file.text : null] as const;
    });
    return {
      kernel: text(release).trim() || undefined,
      received: udpChecksumErrors(text(snmp)) + ipv6,
      udevRules: new Map(await Promise.all(rules)),
    };
  },
};

/** Two lines, names and then numbers. */
function udpChecksumErrors(snmp: string): number {
  const [names = '', numbers = ''] = snmp.split('\n').filter((line) => line.startsWith('Udp: '));
  return Number(numbers.split(' ')[names.split(' ').indexOf('InCsumErrors')] ?? 0) || 0;
}
