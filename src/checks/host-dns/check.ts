/**
 * host-dns: whether the host itself resolves what k3s on it needs, and whether pods can inherit its
 * resolvers. Pure functions of facts.
 */
import { type Check, defineCheck, planNothing, withoutFindings } from '../../engine/check.ts';
import { oneLine } from '../../engine/one-line.ts';
import { type HostName, hostNamesFact } from '../../facts/dns/host-names.ts';
import { presenceFact } from '../../facts/dns/presence.ts';
import { type Resolvers, resolversFact } from '../../facts/dns/resolvers.ts';
import { upstreamAnswersFact } from '../../facts/dns/upstream-answers.ts';
import { upstreamsFact } from '../../facts/dns/upstreams.ts';
import { judgeGiven } from './given-to-pods.ts';
import { judgeNames } from './names.ts';
import { judgeServers, whyNotAsked } from './resolvers.ts';

export const hostDns: Check = defineCheck({
  id: 'host-dns',
  title: 'This host resolves what k3s needs',
  failureTitle: 'The resolvers of this host are not fit for k3s',
  severity: 'error',
  why: 'Images and the API are found by names that the host itself looks up, and pods inherit its resolvers.',
  facts: {
    presence: presenceFact,
    names: hostNamesFact,
    resolvers: resolversFact,
    upstreams: upstreamsFact,
    answers: upstreamAnswersFact,
  },
  diagnose({ presence, names, resolvers, upstreams, answers }) {
    if (presence.kind === 'absent') return withoutFindings('skipped', [presence.reason]);
    const findings = [
      ...judgeNames(names.names),
      ...judgeServers(resolvers, answers.fromHost, { namesResolve: allResolve(names.names) }),
      ...judgeGiven(resolvers, answers.fromHost, upstreams),
    ];
    const reasons = [...names.doubts, ...describeUnread(resolvers), ...describeUnasked(names.names)];
    return {
      outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
      reasons,
      findings,
      limits: servers(resolvers).flatMap((server) => whyNotAsked(server, answers.fromHost) ?? []),
      notes: [...names.notes, ...names.names.map(describeName), ...describeResolvers(resolvers)],
      plan: planNothing,
    };
  },
});

function allResolve(names: readonly HostName[]): boolean {
  return names.length > 0 && names.every(({ answer }) => answer.kind === 'resolved');
}

function servers({ host }: Pick<Resolvers, 'host'>): readonly string[] {
  return host.kind === 'read' ? [...new Set(host.nameservers)] : [];
}

function describeUnread({ host, kubelet }: Resolvers): readonly string[] {
  return [
    ...(host.kind === 'unreadable' ? [`${host.path} cannot be read: ${host.reason}`] : []),
    ...(kubelet.kind === 'unknown' ? [`what pods get is not known: ${kubelet.reason}`] : []),
  ];
}

/** All of them are asked in the same way. */
function describeUnasked(names: readonly HostName[]): readonly string[] {
  const reasons = names.flatMap(({ answer }) => (answer.kind === 'not-asked' ? [answer.reason] : []));
  return [...new Set(reasons)].map((reason) => `names could not be looked up: ${reason}`);
}

function describeName({ name, why, answer }: HostName): string {
  if (answer.kind !== 'resolved') return `${name} (${why}): ${answer.reason}`;
  return `${name} (${why}): ${answer.addresses.join(', ')}`;
}

function describeResolvers({ host, kubelet }: Resolvers): readonly string[] {
  const listed = servers({ host }).map((server) => oneLine(server));
  const own = host.kind === 'read' ? [`${host.path}: ${listed.join(', ') || 'no nameserver'}`] : [];
  if (kubelet.kind === 'unknown') return own;
  const { by, from, conf } = kubelet;
  const whose = { option: `as ${from ?? 'its option'} says`, host: 'of this host', fallback: 'of its own' }[
    by
  ];
  return [...own, `k3s gives to pods: ${conf.path}, ${whose}`];
}
