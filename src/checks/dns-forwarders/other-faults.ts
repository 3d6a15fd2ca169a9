import { parseCorefile } from '../../coredns/corefile.ts';
import { type Forward, resolveForwards, wouldBeAsked } from '../../coredns/forwards.ts';
import { type Judged, unrepaired } from '../../engine/judged.ts';
import { listed } from '../../engine/listed.ts';
import { ownOverridePath, type ReadCorefile } from '../../facts/dns/corefile.ts';
import { rootForward } from './corefile-place.ts';
import { isLeftAlone } from './lasting.ts';
import type { Seen } from './seen.ts';
import { stateOf } from './verdicts.ts';
import { customKeyOf, placeOf, targetsOf } from './words.ts';
import { zonesOf } from './zones.ts';

/** A forward in coredns-custom that stands behind another one of its zone: written down, and never asked. */
export function findShadowed({ forwards }: ReadCorefile): readonly Judged[] {
  return forwards.flatMap((forward) => {
    const key = customKeyOf(forward);
    if (!forward.isShadowed || key === undefined) return [];
    const zone = forward.from === '.' ? 'all names' : forward.from;
    const first = forwards.find(
      ({ block, from, isShadowed }) =>
        block === forward.block && !isShadowed && (from === forward.from || from === '.'),
    );
    const message = `${placeOf(forward)} is never asked: ${first ? `${placeOf(first)} comes first and` : 'an earlier forward'} answers for ${zone}`;
    return [
      unrepaired(
        {
          code: 'override-shadowed',
          subject: `coredns-custom ${key} ${forward.from}`,
          severity: 'warning',
          message,
          effect: 'idle',
          evidence: [{ source: placeOf(forward), observed: `forward ${forward.from} ${targetsOf(forward)}` }],
        },
        first?.file === undefined
          ? "newer releases of k3s import it ahead of their own forward; until then name its servers in a resolv.conf for k3s' option resolv-conf, and take it out"
          : 'take one of the two out',
      ),
    ];
  });
}

/** Somebody changed the Corefile in the cluster; k3s puts its own back when a server of it is started. */
export function findNotLasting(seen: Seen, live: ReadCorefile): readonly Judged[] {
  const { packaged } = seen;
  if (!packaged.isServer || packaged.corefile === undefined || isLeftAlone(seen)) return [];
  if (packaged.ownDropIn !== null) return [];
  // What is of no use need not last.
  const root = zonesOf(seen).find(({ name }) => name === '.');
  if (root && !root.servers.some(({ state }) => state === 'of-use')) return [];
  const now = rootForward(live);
  const then = packagedForward(packaged.corefile, live);
  if (!now || !then || now.file !== undefined) return [];
  if (isSame(targets(now, seen), targets(then, seen))) return [];
  const silent = silentThen(then, seen);
  const loss =
    silent.length > 0
      ? `, and ${listed(silent)} ${silent.length === 1 ? 'does' : 'do'} not answer: pods will then resolve no name outside the cluster`
      : '';
  return [
    unrepaired(
      {
        code: 'forwarders-not-lasting',
        subject: 'zone .',
        severity: 'warning',
        message: `${placeOf(now)} (forward . ${targetsOf(now)}) lasts until k3s is started again: its own Corefile has "forward . ${targetsOf(then)}"${loss}`,
        effect: 'dormant',
        evidence: [
          {
            source: `${packaged.folder}/coredns.yaml`,
            observed: `forward . ${targetsOf(then)}`,
            expected: `forward . ${targetsOf(now)}`,
          },
        ],
      },
      isImportedFirst(packaged.corefile, live)
        ? `write "forward . ${targetsOf(now)}" into ConfigMap coredns-custom, as key upstream.override: that lasts`
        : "give k3s a resolv.conf with these servers, on each server (k3s' option resolv-conf)",
    ),
  ];
}

function packagedForward(text: string, { files }: ReadCorefile): Forward | undefined {
  const parsed = parseCorefile(text);
  if (parsed.kind !== 'parsed') return undefined;
  const resolved = resolveForwards(parsed.corefile, files);
  return resolved.kind === 'resolved' ? rootForward(resolved) : undefined;
}

function isImportedFirst(text: string, { files }: ReadCorefile): boolean {
  const parsed = parseCorefile(text);
  return parsed.kind === 'parsed' && wouldBeAsked(parsed.corefile, files, ownOverridePath);
}

/** Servers, with those of kubelet's resolv.conf in place of its name. */
function targets({ upstreams }: Forward, { resolvers: { kubelet } }: Seen): ReadonlySet<string> {
  return new Set(
    upstreams.flatMap((upstream) => {
      if (upstream.kind === 'address') return [`${upstream.address} ${upstream.port}`];
      if (upstream.kind === 'file' && upstream.path === '/etc/resolv.conf' && kubelet.kind === 'known') {
        if (kubelet.conf.kind === 'read') return kubelet.conf.nameservers.map((server) => `${server} 53`);
      }
      return [upstream.text];
    }),
  );
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}

/** All of those that will be asked then, if all of them are known to be of no use. */
function silentThen(then: Forward, seen: Seen): readonly string[] {
  const servers = [...targets(then, seen)].map((target) => target.replace(/ 53$/, ''));
  const dead = servers.filter((server) => stateOf(seen.answers.fromHost.get(server)) === 'useless');
  return dead.length === servers.length ? dead : [];
}
