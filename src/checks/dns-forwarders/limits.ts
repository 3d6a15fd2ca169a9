import { isSilent } from '../../facts/dns/server-answer.ts';
import { rootForward } from './corefile-place.ts';
import type { Seen } from './seen.ts';
import { describeAnswer, stateOf } from './verdicts.ts';
import { candidateWords } from './words.ts';
import { zonesOf } from './zones.ts';

/** What was not judged, and why; the verdict stands without it. `told`: what is said elsewhere. */
export function unjudged(seen: Seen, told: readonly string[]): readonly string[] {
  const { live, upstreams, answers, coreDns } = seen;
  const parts = [
    ...Object.values(coreDns),
    live.kind === 'unavailable' ? live : undefined,
    upstreams.kind === 'unavailable' ? upstreams : undefined,
  ];
  const rights = new Set(
    parts.flatMap((part) => (part?.kind === 'unavailable' && part.forbidden ? [part.reason] : [])),
  );
  const forbidden = rights.size > 0 ? [`not judged for want of rights (${[...rights].join('; ')})`] : [];
  const noForward =
    live.kind === 'read' && !rootForward(live)
      ? ['the Corefile has no forward for names outside the cluster: whether that is meant cannot be known']
      : [];
  const network =
    answers.fromPod.kind === 'not-asked' && runsHere(seen)
      ? [`not asked from CoreDNS' own network: ${answers.fromPod.reason}`]
      : [];
  const all = [
    ...forbidden,
    ...noForward,
    ...(upstreams.kind === 'known' ? upstreams.doubts : []),
    ...(live.kind === 'read' ? live.doubts : []),
    ...network,
  ];
  const refused = new Map(
    (live.kind === 'read' ? live.refused : [])?.map((flaw) => [flaw.reason, flaw.file]),
  );
  return [...new Set(all)]
    .filter((line) => !told.includes(line))
    .map((line) => {
      if (!refused.has(line)) return line;
      const where = refused.get(line) === undefined ? 'Corefile, ' : '';
      return `${where}${line}: CoreDNS may not have loaded it (doctor check coredns-health)`;
    });
}

/** Where CoreDNS is not, its network cannot be asked, and nothing is missing. */
function runsHere({ coreDns: { pods }, nodes }: Seen): boolean {
  if (pods.kind !== 'known' || nodes.kind !== 'known' || nodes.self === undefined) return false;
  const { name } = nodes.self;
  return pods.value.some(({ node }) => node === name);
}

/** All that was asked, and what came of it. */
export function describeSeen(seen: Seen): readonly string[] {
  const { answers, candidates, cluster } = seen;
  const told = zonesOf(seen).flatMap(({ name, servers }) =>
    servers.map(
      ({ key, upstream, answer, hostState }) =>
        `zone ${name}: ${key} (${upstream.origin})${hostState ? ', asked from where CoreDNS is' : ''}: ${answer ? describeAnswer(answer) : 'not asked'}`,
    ),
  );
  const known = [...candidates.publicAnswers.values()];
  const silent = known.filter((answer) => stateOf(answer) === 'useless');
  const [useful, useless] = partition(candidates.candidates, ({ answer }) => !isSilent(answer));
  return [
    ...told,
    ...(answers.fromPod.kind === 'not-asked'
      ? [`not asked from CoreDNS' own network: ${answers.fromPod.reason}`]
      : []),
    ...(known.length > 0
      ? [`public resolvers: ${silent.length} of ${known.length} that were asked give no answer`]
      : []),
    ...useful.map(
      ({ server, origin, answer, fromPod }) =>
        `could be asked instead: ${server} (${origin}): ${describeAnswer(answer)}${fromPod ? `; from where CoreDNS is: ${describeAnswer(fromPod)}` : ''}`,
    ),
    ...(useless.length > 0 ? [`silent, too: ${candidateWords(useless)}`] : []),
    ...[...cluster.world.values()].map(
      (answer) => `${answers.question} asked of CoreDNS at ${answer.server}: ${describeAnswer(answer)}`,
    ),
  ];
}

function partition<T>(all: readonly T[], is: (each: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(is), all.filter((each) => !is(each))];
}
