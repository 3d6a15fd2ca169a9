import type { Candidate } from '../../facts/dns/candidates.ts';
import type { Seen } from './seen.ts';
import { answersByBoth, has, stateOf } from './verdicts.ts';

const most = 3;

/**
 * Servers that were just seen to answer over UDP and TCP, from wherever they were asked; best first. All
 * are of one kind, and of one provider: CoreDNS asks now this one and now that one, and they have to know
 * the same names. So one that says that there is no such name is not put beside one that knows it.
 */
export function chooseServers(seen: Seen): readonly Candidate[] {
  const cluster = addressesOfCoreDns(seen);
  const proven = seen.candidates.candidates
    .filter(({ answer, fromPod }) => answersByBoth(answer) && (isUnasked(fromPod) || answersByBoth(fromPod)))
    .filter(({ server, answer }) => answer.port === 53 && isForPods(server) && !cluster.has(server));
  const unlike = [...new Map(proven.toReversed().map((each) => [each.server, each])).values()].toReversed();
  const usable = ofPodsFamily(seen, unlike);
  const trusted = preferred(usable);
  const [best] = trusted;
  return trusted
    .filter(({ kind, origin }) => kind === best?.kind && (kind !== 'provider' || origin === best.origin))
    .toSorted((a, b) => Number(isSlow(a)) - Number(isSlow(b)))
    .slice(0, most);
}

/** The operator's word comes first, whatever his servers know; of all others those that know the name. */
function preferred(all: readonly Candidate[]): readonly Candidate[] {
  const configured = all.filter(({ kind }) => kind === 'configured');
  const pool = configured.length > 0 ? configured : all;
  const knowing = pool.filter(knowsName);
  return knowing.length > 0 ? knowing : pool;
}

function knowsName({ answer, fromPod }: Candidate): boolean {
  const { udp, tcp } = (isUnasked(fromPod) ? answer : fromPod).byProtocol;
  return udp?.saysNone !== true && tcp?.saysNone !== true;
}

function isUnasked(answer: Candidate['fromPod']): answer is undefined {
  return stateOf(answer) === 'unasked';
}

function isSlow({ answer, fromPod }: Candidate): boolean {
  return has(isUnasked(fromPod) ? answer : fromPod, 'slow');
}

/** Where it was not asked from a pod: this host may have IPv6, and pods not. */
function ofPodsFamily({ coreDns: { pods } }: Seen, all: readonly Candidate[]): readonly Candidate[] {
  const addresses = pods.kind === 'known' ? pods.value.flatMap(({ address }) => address ?? []) : [];
  const fitting = all.filter(
    ({ server, fromPod }) =>
      !isUnasked(fromPod) || addresses.some((address) => address.includes(':') === server.includes(':')),
  );
  return fitting.length > 0 ? fitting : all;
}

/** A loopback address is another one in each pod, as is an address of a link. */
function isForPods(server: string): boolean {
  return !/^(127\.|::1$|0\.0\.0\.0$|::$|fe[89ab][0-9a-f]:)|%/i.test(server);
}

/** A host may ask the cluster's DNS: CoreDNS would ask itself. */
function addressesOfCoreDns({ coreDns: { pods, service } }: Seen): ReadonlySet<string> {
  return new Set([
    ...(service.kind === 'known' ? service.value : []),
    ...(pods.kind === 'known' ? pods.value.flatMap(({ address }) => address ?? []) : []),
  ]);
}
