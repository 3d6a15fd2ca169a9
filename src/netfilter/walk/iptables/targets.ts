import type { Jump } from '../../rule.ts';
import { unknown } from '../answer.ts';
import type { Flight, Next } from '../flight.ts';
import type { RuleContext } from './matcher.ts';
import { anything, changed, goOn, optionOf, type Target, type TargetCompiler } from './target.ts';
import { connmarkTarget, markTarget } from './target-mark.ts';
import { dnatTarget, masqueradeTarget, netmapTarget, redirectTarget, snatTarget } from './target-nat.ts';

/** What a rule does; one without a target only counts. */
export function compileTarget(jump: Jump | undefined, context: RuleContext): Target {
  if (!jump) return goOn;
  const { kind, target: chain } = jump;
  if (context.hasChain(chain) || kind === 'goto') {
    const action = `${kind === 'jump' ? 'jump' : 'go'} to ${chain}`;
    return (flight) => [{ flight, next: { kind, chain }, action }];
  }
  return (compilers.get(chain) ?? notUnderstood)(jump, context);
}

const notUnderstood: TargetCompiler = ({ target }) => anything(unknown(`target ${target} is not understood`));

function verdict(next: Next, action: string): TargetCompiler {
  return () => (flight) => [{ flight, next, action }];
}

const rejectTarget: TargetCompiler = (jump, { family }) => {
  const how =
    optionOf(jump, '--reject-with') ??
    (family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable');
  return (flight) => [{ flight, next: { kind: 'reject', with: how }, action: `reject with ${how}` }];
};

/** A process decides; where none listens, the packet is dropped, or accepted with `--queue-bypass`. */
const queueTarget: TargetCompiler = ({ target }) => {
  const doubt = unknown(`target ${target}: a process decides`);
  return (flight) => [
    { flight, next: { kind: 'accept' }, action: 'accept', doubt },
    { flight, next: { kind: 'drop' }, action: 'drop', doubt },
  ];
};

/** Takes the packet out of conntrack's sight, if conntrack has not seen it yet. */
const untrack: Target = (flight, { tracked }) => {
  if (tracked) return goOn(flight, { hook: 'prerouting', tracked });
  const after: Flight = { ...flight, packet: { ...flight.packet, state: 'UNTRACKED' } };
  return changed(flight, after, 'not tracked');
};

const ctTarget: TargetCompiler = (jump) =>
  jump.options.some(({ name }) => name === '--notrack') ? untrack : goOn;

/** What is redirected by it goes to a socket; without one it is dropped. */
const tproxyTarget: TargetCompiler = () => {
  const doubt = unknown('target TPROXY: whether a process listens is not known');
  return (flight) => [
    { flight, next: { kind: 'accept' }, action: 'accept', doubt },
    { flight, next: { kind: 'drop' }, action: 'drop', doubt },
  ];
};

const harmless: readonly string[] = [
  ...['LOG', 'NFLOG', 'ULOG', 'TRACE', 'AUDIT', 'IDLETIMER', 'LED', 'RATEEST', 'SET', 'NFACCT', 'ACCOUNT'],
  ...['TCPMSS', 'TCPOPTSTRIP', 'CHECKSUM', 'CLASSIFY', 'DSCP', 'TOS', 'TTL', 'HL', 'ECN', 'TEE'],
  ...['SECMARK', 'CONNSECMARK'],
];

const compilers: ReadonlyMap<string, TargetCompiler> = new Map<string, TargetCompiler>([
  ['ACCEPT', verdict({ kind: 'accept' }, 'accept')],
  ['DROP', verdict({ kind: 'drop' }, 'drop')],
  ['RETURN', verdict({ kind: 'return' }, 'return')],
  ['REJECT', rejectTarget],
  ['QUEUE', queueTarget],
  ['NFQUEUE', queueTarget],
  ['MARK', markTarget],
  ['CONNMARK', connmarkTarget],
  ['CT', ctTarget],
  ['NOTRACK', () => untrack],
  ['TPROXY', tproxyTarget],
  ['DNAT', dnatTarget],
  ['SNAT', snatTarget],
  ['REDIRECT', redirectTarget],
  ['MASQUERADE', masqueradeTarget],
  ['NETMAP', netmapTarget],
  ...harmless.map((name) => [name, () => goOn] as const),
]);
