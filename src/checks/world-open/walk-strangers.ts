import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { End, Walk } from '../../netfilter/walk/walk.ts';
import type { ClusterPort } from './cluster-ports.ts';
import type { FrontDoor } from './front-doors.ts';

export type Exposure =
  /** `end`: of a stranger's packet that is let in. `always`: so is every other one. */
  | { readonly kind: 'open'; readonly address: string; readonly end: End; readonly always: boolean }
  | { readonly kind: 'closed' }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Of networks far apart, none of which has anything to do with the other: what lets in two of the three
 * lets in everybody. The first of each is one that lists of bogus addresses have, the others are none.
 */
const strangers = {
  ipv4: ['203.0.113.77', '23.192.0.77', '185.199.0.77'],
  ipv6: ['2001:db8::77', '2600:1f00::77', '2a01:4f8::77'],
} as const;

/** Whether anybody at all gets to a port by this door. */
export function walkStrangers(
  firewall: Firewall,
  { port, protocol }: Pick<ClusterPort, 'port' | 'protocol'>,
  { family, link, addresses }: FrontDoor,
): Exposure {
  let doubt: string | undefined;
  for (const address of addresses) {
    const walks = strangers[family].map((source) =>
      firewall.walk({
        family,
        origin: { kind: 'link', name: link },
        source,
        destination: address,
        transport: { protocol, sourcePort: 40_000, destinationPort: port },
        state: 'NEW',
      }),
    );
    const ends = walks.map(letIn).filter((end) => end !== undefined);
    const [end] = ends;
    if (end !== undefined && ends.length >= 2) {
      const always = walks.filter(({ verdict }) => verdict === 'pass').length >= 2;
      return { kind: 'open', address, end, always };
    }
    const unknown = walks.filter(({ verdict }) => verdict === 'unknown');
    if (ends.length + unknown.length >= 2) doubt ??= describeDoubt(unknown);
  }
  return doubt === undefined ? { kind: 'closed' } : { kind: 'unknown', reason: doubt };
}

/** The end of a packet that comes to the port it was sent to, now and then at least. */
function letIn({ verdict, ends }: Walk): End | undefined {
  if (verdict === 'unknown') return undefined;
  return ends.find(
    ({ fate, way, destinationTranslated }) => fate === 'pass' && way === 'in' && !destinationTranslated,
  );
}

function describeDoubt(walks: readonly Walk[]): string {
  const assumptions = walks.flatMap(({ ends }) => ends.flatMap((end) => end.assumptions));
  return assumptions.find(({ kind }) => kind === 'unknown')?.reason ?? 'the rules could not be read';
}
