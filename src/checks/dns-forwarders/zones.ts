import type { Forward } from '../../coredns/forwards.ts';
import { type ServerAnswer, serverKey } from '../../facts/dns/server-answer.ts';
import type { Upstream } from '../../facts/dns/upstreams.ts';
import type { Seen } from './seen.ts';
import { type State, stateOf } from './verdicts.ts';

/** A zone that CoreDNS forwards, and what became of the servers it forwards to. */
export interface Zone {
  readonly name: string;
  /** In CoreDNS' order, each once. */
  readonly servers: readonly ZoneServer[];
  /** What stands among them and could not be asked, as written: a name, a variable of CoreDNS' environment. */
  readonly notUnderstood: readonly string[];
}

export interface ZoneServer {
  readonly upstream: Upstream;
  /** `8.8.8.8`, `10.0.0.2:5353`. */
  readonly key: string;
  /** From CoreDNS' own network where it was asked from there, else from this host. */
  readonly answer: ServerAnswer | undefined;
  readonly state: State;
  /** What this host itself got, where `answer` is a pod's. */
  readonly hostState: State | undefined;
}

export function zonesOf(seen: Seen): readonly Zone[] {
  if (seen.upstreams.kind !== 'known') return [];
  const byZone = Map.groupBy(seen.upstreams.upstreams, ({ zone }) => zone);
  return [...byZone].map(([name, upstreams]) => {
    const forcesTcp = isForcedToTcp(seen, name);
    const servers = new Map(upstreams.toReversed().map((upstream) => [serverKey(upstream), upstream]));
    return {
      name,
      notUnderstood: othersIn(seen, name),
      servers: [...servers].toReversed().map(([key, upstream]) => {
        const fromPod = podsAnswer(seen, key);
        const fromHost = seen.answers.fromHost.get(key);
        const answer = fromPod ?? fromHost;
        return {
          upstream,
          key,
          answer,
          state: stateOf(answer, forcesTcp),
          hostState: fromPod && stateOf(fromHost, forcesTcp),
        };
      }),
    };
  });
}

/** The one where CoreDNS itself is, if it could be asked from there. */
function podsAnswer({ answers: { fromPod } }: Seen, key: string): ServerAnswer | undefined {
  const answer = fromPod.kind === 'asked' ? fromPod.answers.get(key) : undefined;
  return stateOf(answer) === 'unasked' ? undefined : answer;
}

function isForcedToTcp(seen: Seen, zone: string): boolean {
  return forwardsOf(seen, zone).some(({ options }) => options.some(({ name }) => name === 'force_tcp'));
}

function othersIn(seen: Seen, zone: string): readonly string[] {
  const upstreams = forwardsOf(seen, zone).flatMap((forward) => forward.upstreams);
  return upstreams.filter(({ kind }) => kind === 'other').map(({ text }) => text);
}

function forwardsOf({ live }: Seen, zone: string): readonly Forward[] {
  if (live.kind !== 'read') return [];
  return live.forwards.filter(({ from, isShadowed }) => from === zone && !isShadowed);
}
