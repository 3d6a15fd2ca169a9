import type { Fact } from '../../engine/fact.ts';
import type { ServerAnswer } from './server-answer.ts';

/** One server that CoreDNS forwards to, by way of a Corefile or of the resolv.conf it names. */
export interface Upstream {
  /** The zone that is forwarded: `.`, `example.org`. */
  readonly zone: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: 'dns' | 'tls';
  readonly serverName: string | undefined;
  /** `Corefile, line 18`, `/etc/resolv.conf of pod coredns-...`, `/run/systemd/resolve/resolv.conf`. */
  readonly origin: string;
}

export type Upstreams =
  | {
      readonly kind: 'known';
      /** In the order in which CoreDNS has them; forwards that are never asked left out. */
      readonly upstreams: readonly Upstream[];
      /** Not asked, and why: a name, a socket, a resolv.conf that only another node has; a line each. */
      readonly doubts: readonly string[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export const upstreamsFact: Fact<Upstreams> = {
  id: 'dns-upstreams',
  async gather() {
    throw new Error('not built yet');
  },
};

/** By `serverKey`. */
export type Answers = ReadonlyMap<string, ServerAnswer>;

export interface UpstreamAnswers {
  /** The name that was asked for in zone `.`; in another zone its own SOA. */
  readonly question: string;
  readonly fromHost: Answers;
  /** From CoreDNS' own network, where it runs on this node. */
  readonly fromPod:
    | { readonly kind: 'asked'; readonly pod: string; readonly answers: Answers }
    | { readonly kind: 'not-asked'; readonly reason: string };
}

/** Every upstream and every nameserver of the host, all at once, three tries each, within six seconds. */
export const upstreamAnswersFact: Fact<UpstreamAnswers> = {
  id: 'dns-upstream-answers',
  async gather() {
    throw new Error('not built yet');
  },
};

/** A server that could take the place of those that do not answer, best first. */
export interface Candidate {
  readonly server: string;
  /** `configured`, `resolver of this host`, `DHCP (FILE)`, `provider hetzner`. */
  readonly origin: string;
  readonly kind: 'configured' | 'host' | 'leased' | 'provider';
  readonly answer: ServerAnswer;
  /** Undefined where CoreDNS does not run on this node. */
  readonly fromPod: ServerAnswer | undefined;
}

export interface Candidates {
  /** Asked only when no upstream of zone `.` answers, or none is known to; else empty. */
  readonly candidates: readonly Candidate[];
  /**
   * Well-known public resolvers, asked only when some upstream of zone `.` is silent: whether this network
   * lets anything out to port 53.
   */
  readonly publicAnswers: Answers;
}

export const candidatesFact: Fact<Candidates> = {
  id: 'dns-candidates',
  async gather() {
    throw new Error('not built yet');
  },
};

/** Public resolvers by address, as everybody knows them. */
export function isPublicResolver(_address: string): boolean {
  throw new Error('not built yet');
}
