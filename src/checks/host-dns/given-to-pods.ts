import type { Evidence, Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import type { Answers } from '../../facts/dns/ask-servers.ts';
import type { ResolvConf } from '../../facts/dns/resolv-conf.ts';
import type { Resolvers } from '../../facts/dns/resolvers.ts';
import { answers } from '../../facts/dns/server-answer.ts';
import type { Upstreams } from '../../facts/dns/upstreams.ts';
import { describe, keyOf } from './answers.ts';

const todo =
  'give k3s servers that are not of this host alone: "resolv-conf: FILE" in /etc/rancher/k3s/config.yaml, restart k3s, then make the CoreDNS pod anew';

/** What pods that take the node's resolvers get, as CoreDNS does: whether it can be used in a pod. */
export function judgeGiven(resolvers: Resolvers, given: Answers, upstreams: Upstreams): readonly Finding[] {
  const { kubelet } = resolvers;
  if (kubelet.kind !== 'known') return [];
  if (kubelet.by === 'option') return judgeOption(kubelet);
  return kubelet.by === 'fallback' ? [judgeFallback(resolvers, kubelet.conf, given, upstreams)] : [];
}

/** Nothing of the host's will do, so that they get 8.8.8.8. */
function judgeFallback(
  { host, resolved }: Resolvers,
  conf: ResolvConf,
  given: Answers,
  upstreams: Upstreams,
): Finding {
  const servers = conf.kind === 'read' ? conf.nameservers : ['8.8.8.8'];
  const asked = servers
    .flatMap((server) => given.get(keyOf(server)) ?? [])
    .filter((each) => describe(each).length > 0);
  const isDead = asked.length > 0 && !asked.some(answers);
  const isForwardedTo =
    upstreams.kind !== 'known' || upstreams.upstreams.some(({ server }) => servers.includes(server));
  const names = servers.map((server) => oneLine(server)).join(', ');
  const end = !isDead
    ? 'and ask there for all names outside the cluster'
    : isForwardedTo
      ? 'which does not answer here: they resolve nothing outside the cluster'
      : 'which does not answer here; CoreDNS itself asks others now';
  return unfit({
    subject: '/etc/resolv.conf',
    severity: isDead && isForwardedTo ? 'error' : 'warning',
    message: `k3s cannot give this host's resolv.conf to pods (${whyUnfit(host)}): those that take the node's resolvers, as CoreDNS does, get ${names}, ${end}`,
    effect: isDead && isForwardedTo ? 'loses' : 'idle',
    evidence: [
      ...[host, resolved].map((each) => ({ source: each.path, observed: whyUnfit(each) })),
      { source: conf.path, observed: `nameserver ${names}` },
      ...asked.flatMap(describe),
    ],
  });
}

/** What the operator names k3s does not look at. */
function judgeOption({ from, conf }: Extract<Resolvers['kubelet'], { kind: 'known' }>): readonly Finding[] {
  const path = oneLine(conf.path);
  const told = `k3s is told to give ${path} to pods${from === undefined ? '' : ` (${oneLine(from)})`}`;
  const evidence: readonly Evidence[] = [{ source: path, observed: whyUnfit(conf) }];
  const base = { subject: path, evidence };
  if (conf.kind === 'absent') {
    const message = `${told}, and there is no such file: kubelet starts no pod without it`;
    return [unfit({ ...base, severity: 'error', message, effect: 'loses' })];
  }
  if (conf.kind !== 'read' || conf.unfit === undefined) return [];
  const message = `${told}, with nameserver ${oneLine(conf.unfit)}, which inside a pod is not what it is here`;
  return [unfit({ ...base, severity: 'warning', message, effect: 'loses' })];
}

function unfit(finding: Omit<Finding, 'code' | 'remedy'>): Finding {
  return { ...finding, code: 'resolver-unfit', remedy: { kind: 'none', reason: todo } };
}

function whyUnfit(conf: ResolvConf): string {
  switch (conf.kind) {
    case 'absent':
      return 'there is none';
    case 'unreadable':
      return `not readable: ${conf.reason}`;
    default:
      if (conf.unfit !== undefined) {
        return `nameserver ${oneLine(conf.unfit) || 'without an address'}, which is not meant for other machines`;
      }
      return conf.nameservers.length === 0
        ? 'it names no server'
        : `nameserver ${conf.nameservers.map((each) => oneLine(each)).join(', ')}`;
  }
}
