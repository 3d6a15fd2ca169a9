import type { Evidence, Finding } from '../../engine/finding.ts';
import { plain } from '../../facts/dns/plain.ts';
import { isServerAddress } from '../../facts/dns/resolv-conf.ts';
import type { ResolvConf, Resolvers } from '../../facts/dns/resolvers.ts';
import { answers, type ServerAnswer, serverKey } from '../../facts/dns/server-answer.ts';
import type { Answers } from '../../facts/dns/upstreams.ts';

/**
 * The host's own nameservers that answer nothing. Where all of them refuse a name of the world and the names
 * that are needed resolve nevertheless, that is how it is meant: nothing here reaches the world.
 */
export function judgeServers(
  { host }: Resolvers,
  given: Answers,
  { namesResolve }: { readonly namesResolve: boolean },
): readonly Finding[] {
  const servers = host.kind === 'read' ? [...new Set(host.nameservers)] : [];
  const asked = servers.flatMap((server) => given.get(keyOf(server)) ?? []);
  const hasAlive = asked.some(answers);
  return asked.flatMap((answer): readonly Finding[] => {
    const said = describe(answer);
    if (answers(answer) || said.length === 0) return [];
    const refusal = refusalOf(answer);
    if (refusal !== undefined && !hasAlive && namesResolve) return [];
    const server = plain(answer.server);
    const what = refusal === undefined ? 'does not answer' : `answers ${refusal}`;
    const rest = hasAlive
      ? 'names that it is asked for take seconds, or fail'
      : 'and no other one of this host does better: it resolves no name of the world';
    return [
      {
        code: 'resolver-down',
        subject: `nameserver ${server}`,
        severity: 'warning',
        message: `nameserver ${server} of this host ${what}: ${rest}`,
        effect: refusal === undefined ? 'loses' : 'rejects',
        evidence: said,
        remedy: {
          kind: 'none',
          reason:
            'take it out of /etc/resolv.conf, or out of what writes it (netplan, systemd-resolved, DHCP)',
        },
      },
    ];
  });
}

function refusalOf({ byProtocol }: ServerAnswer): string | undefined {
  const refused = Object.values(byProtocol).find(
    ({ verdict }) => verdict === 'refused' || verdict === 'servfail',
  );
  return refused?.detail;
}

/** A file of the host's that k3s does not give to pods: they get 8.8.8.8 in its stead. */
export function judgeFallback({ kubelet, host, resolved }: Resolvers, given: Answers): readonly Finding[] {
  if (kubelet.kind !== 'known' || kubelet.by !== 'fallback') return [];
  const inUse = kubelet.conf.kind === 'read' ? kubelet.conf.nameservers : ['8.8.8.8'];
  const asked = inUse
    .flatMap((server) => given.get(keyOf(server)) ?? [])
    .filter((each) => describe(each).length > 0);
  const isDead = asked.length > 0 && !asked.some(answers);
  const names = inUse.map((server) => plain(server)).join(', ');
  const end = isDead
    ? `and from here ${names} does not answer: pods resolve nothing outside the cluster`
    : `and all names outside the cluster are asked for there`;
  return [
    {
      code: 'resolver-unfit',
      subject: '/etc/resolv.conf',
      severity: isDead ? 'error' : 'warning',
      message: `k3s cannot give this host's resolv.conf to pods (${whyUnfit(host)}): CoreDNS gets ${names} on this node, ${end}`,
      effect: isDead ? 'loses' : 'idle',
      evidence: [
        ...[host, resolved].map((conf) => ({ source: conf.path, observed: whyUnfit(conf) })),
        { source: kubelet.conf.path, observed: `nameserver ${names}` },
        ...asked.flatMap(describe),
      ],
      remedy: {
        kind: 'none',
        reason:
          'give k3s servers that are not of this host alone: "resolv-conf: FILE" in /etc/rancher/k3s/config.yaml, restart k3s, then make the CoreDNS pod anew',
      },
    },
  ];
}

function whyUnfit(conf: ResolvConf): string {
  switch (conf.kind) {
    case 'absent':
      return 'there is none';
    case 'unreadable':
      return `not readable: ${conf.reason}`;
    default:
      if (conf.unfit !== undefined) {
        return `nameserver ${plain(conf.unfit) || 'without an address'}, which is not meant for other machines`;
      }
      return conf.nameservers.length === 0
        ? 'it names no server'
        : `nameserver ${conf.nameservers.map((each) => plain(each)).join(', ')}`;
  }
}

function keyOf(server: string): string {
  return serverKey({ server, port: 53 });
}

/** Only of what was really asked. */
function describe({ server, byProtocol }: ServerAnswer): readonly Evidence[] {
  return (['udp', 'tcp', 'tls'] as const).flatMap((protocol) => {
    const tried = byProtocol[protocol];
    if (tried === undefined || tried.verdict === 'not-asked') return [];
    return [
      {
        source: `${plain(server)} over ${protocol.toUpperCase()}`,
        observed: tried.detail,
        expected: 'an answer',
      },
    ];
  });
}

/** Why nothing can be said of a nameserver; undefined where it was asked. */
export function whyNotAsked(server: string, given: Answers): string | undefined {
  const line = `nameserver ${plain(server)} of this host was not asked`;
  if (!isServerAddress(server)) return `${line}: it is no address`;
  const answer = given.get(keyOf(server));
  if (answer === undefined) return line;
  const tried = Object.values(answer.byProtocol);
  if (tried.some(({ verdict }) => verdict !== 'not-asked')) return undefined;
  return `${line}: ${(tried[0]?.detail ?? '').replace(/^not asked: /, '')}`;
}
