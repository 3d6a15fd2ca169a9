import type { Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import type { Answers } from '../../facts/dns/ask-servers.ts';
import { isServerAddress } from '../../facts/dns/resolv-conf.ts';
import type { Resolvers } from '../../facts/dns/resolvers.ts';
import { answers, type ServerAnswer } from '../../facts/dns/server-answer.ts';
import { correctResolvConf, describe, keyOf } from './answers.ts';

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
    const server = oneLine(answer.server);
    const what = refusal === undefined ? 'does not answer' : `answers ${refusal}`;
    const rest = hasAlive
      ? 'names that it is asked for take seconds, or fail'
      : 'this host resolves no name of the world';
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
          reason: hasAlive
            ? 'take it out of /etc/resolv.conf, or out of what writes it (netplan, systemd-resolved, DHCP)'
            : correctResolvConf,
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

/** Why nothing can be said of a nameserver; undefined where it was asked. */
export function whyNotAsked(server: string, given: Answers): string | undefined {
  const line = `nameserver ${oneLine(server)} of this host was not asked`;
  if (!isServerAddress(server)) return `${line}: it is no address`;
  const answer = given.get(keyOf(server));
  if (answer === undefined) return line;
  const tried = Object.values(answer.byProtocol);
  if (tried.some(({ verdict }) => verdict !== 'not-asked')) return undefined;
  return `${line}: ${(tried[0]?.detail ?? '').replace(/^not asked: /, '')}`;
}
