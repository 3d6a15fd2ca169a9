import { count } from '../../engine/count.ts';
import type { ReadCorefile } from '../../facts/dns/corefile.ts';
import { isSilent } from '../../facts/dns/server-answer.ts';
import { chooseServers } from './choose-servers.ts';
import { findPlace } from './corefile-place.ts';
import { planSteps } from './plan.ts';
import { reachOf } from './reach.ts';
import type { Seen } from './seen.ts';
import { answersByBoth, describeAnswer, stateOf } from './verdicts.ts';
import type { Repair } from './with-repair.ts';
import { candidateWords, sampleLine } from './words.ts';

/** Other servers for zone `.`, none of whose own answers; or why not. */
export function findRepair(seen: Seen): Repair {
  const { live } = seen;
  if (live.kind !== 'read') return none(`the Corefile cannot be relied on: ${live.reason}`);
  const chosen = chooseServers(seen);
  if (chosen.length === 0) return none(whyNobody(seen));
  const servers = chosen.map(({ server }) => server);
  const place = findPlace(seen, live, servers);
  if (place.kind === 'nowhere') return none(place.reason);
  const proven = `${candidateWords(chosen)}, just seen to answer`;
  if (!reloads(seen, live)) {
    return none(
      `CoreDNS has no plugin reload, and would not notice: write ${sampleLine(servers)}, and then kubectl -n kube-system rollout restart deployment coredns`,
    );
  }
  const reach = reachOf(seen);
  if (reach.kind === 'not-reached') {
    return { kind: 'held', reason: `${reach.reason}. What could be asked instead: ${proven}` };
  }
  const { steps, lasting } = planSteps(seen, live, { place, servers, askAt: reach.addresses });
  return { kind: 'planned', steps, words: `a fix forwards to ${proven}${lasting}` };
}

function none(reason: string): Repair {
  return { kind: 'none', reason };
}

function whyNobody({ candidates: { candidates } }: Seen): string {
  const todo = 'or name servers that do in checks.dns-forwarders.candidates';
  const forHost = candidates.filter(({ answer, fromPod }) => fromPod && answersByBoth(answer));
  if (forHost.length > 0) {
    return `${candidateWords(forHost)} would do, but CoreDNS gets no answer from there either: what pods send out is stopped on this node (doctor check forward-rules)`;
  }
  const half = candidates.filter(({ answer }) => !isSilent(answer) && stateOf(answer) !== 'unasked');
  if (half.length > 0) {
    const told = half.slice(0, 3).map(({ server, answer }) => `${server} (${describeAnswer(answer)})`);
    return `nothing else that is known answers over UDP and TCP: ${told.join(', ')}. Mend that, ${todo}`;
  }
  const others = count(candidates.length, 'other server that is known', 'other servers that are known');
  return `none of ${others} answers either (-v lists them): mend the way out, ${todo}`;
}

/** A running CoreDNS that tells a hash of its configuration watches it; most tell none before they reload. */
function reloads({ metrics }: Seen, { corefile, files }: ReadCorefile): boolean {
  const read = [...metrics.values()].flatMap((each) => (each.kind === 'read' ? [each.metrics] : []));
  if (read.some(({ configHash }) => configHash !== undefined)) return true;
  const isInBlock = corefile.blocks.some(({ directives }) =>
    directives.some(({ name }) => name === 'reload'),
  );
  return isInBlock || [...files.values()].some((text) => /^reload\b/m.test(text));
}
