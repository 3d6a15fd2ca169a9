import { flawsOf } from '../../coredns/flaws.ts';
import type { Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import { versionOf } from '../../facts/dns/coredns.ts';
import { findCulprit } from './culprit.ts';
import { effectNow, type Judge, podsOf, problem, type Refusal, refusalsOf, type Seen } from './seen.ts';

/** Whether CoreDNS could start with what is configured. */
export const judgeConfiguration: Judge = (seen) => {
  if (seen.corefile.kind === 'absent') return [withoutCorefile(seen.corefile.reason, seen)];
  const refusals = refusalsOf(seen);
  const flaws = findFlaws(seen).map((flaw) => blame(flaw, seen));
  if (flaws.length > 0) return flaws.map((flaw) => brokenBy(flaw, refusals, seen));
  return refusals.map((refusal) => refusedBy(refusal, seen));
};

/** A Deployment of the operator's own may use another one. */
function withoutCorefile(reason: string, seen: Seen): Finding {
  const effect = effectNow(seen);
  const isRunning = effect === 'dormant';
  return problem(
    {
      code: 'corefile-broken',
      subject: 'ConfigMap coredns',
      severity: isRunning ? 'warning' : 'error',
      message: `${reason}: ${isRunning ? 'a pod of CoreDNS that is made anew does not start, unless its Deployment names another one' : 'CoreDNS does not start'}`,
      effect,
      evidence: [{ source: 'ConfigMap kube-system/coredns', observed: reason, expected: 'a Corefile' }],
    },
    'restart k3s on a server: it puts its own Corefile back',
  );
}

interface Found {
  readonly file: string | undefined;
  /** With file and line. */
  readonly reason: string;
  /** A plugin that another build may have. */
  readonly mayBeKnown: boolean;
}

function findFlaws({ corefile, coreDns }: Seen): readonly Found[] {
  if (corefile.kind === 'broken') {
    return [{ file: corefile.file, reason: corefile.reason, mayBeKnown: false }];
  }
  if (corefile.kind !== 'read') return [];
  return flawsOf(corefile, versionOf(coreDns))
    .slice(0, mostFlaws)
    .map(({ file, reason }) => ({ file, reason, mayBeKnown: /there is no (plugin|option) "/.test(reason) }));
}

const mostFlaws = 20;

function blame(flaw: Found, { coreDns }: Seen): Found {
  const file = flaw.file ?? findCulprit(coreDns);
  if (flaw.file !== undefined || file === undefined) return flaw;
  const reason = `something in ${file} is left open, for the Corefile is in order without it (with it, ${flaw.reason})`;
  return { file, reason, mayBeKnown: false };
}

function brokenBy({ file, reason, mayBeKnown }: Found, refusals: readonly Refusal[], seen: Seen): Finding {
  const isCustom = file !== undefined;
  const where = isCustom ? 'coredns-custom' : 'Corefile';
  const said = oneLine(reason, 240);
  const isTaken = mayBeKnown && refusals.length === 0 && hasReadMetrics(seen);
  return problem(
    {
      code: isCustom ? 'coredns-custom-broken' : 'corefile-broken',
      subject: `${where} ${oneLine(withoutLine(reason))}`,
      severity: isTaken ? 'warning' : 'error',
      message: `${isCustom ? 'ConfigMap coredns-custom' : 'the Corefile'} is broken: ${said} · ${consequence(isTaken, seen)}`,
      effect: effectNow(seen),
      evidence: [
        { source: `ConfigMap kube-system/${isCustom ? 'coredns-custom' : 'coredns'}`, observed: said },
        ...refusals.flatMap(({ evidence }) => evidence),
      ],
    },
    isCustom
      ? `correct or remove ${keyOf(file)}: kubectl -n kube-system edit configmap coredns-custom`
      : 'correct it: kubectl -n kube-system edit configmap coredns; k3s puts its own back at its next start',
  );
}

function consequence(isTaken: boolean, seen: Seen): string {
  if (isTaken) {
    return 'CoreDNS has not refused it: it loads a change within two minutes, unless it is a build that has it';
  }
  return effectNow(seen) === 'dormant'
    ? 'CoreDNS runs on with its last good configuration, and does not start again once its pod ends'
    : 'CoreDNS does not start';
}

function refusedBy({ pod, reason, evidence }: Refusal, seen: Seen): Finding {
  const base = { subject: `pod ${pod.name}`, effect: effectNow(seen), evidence };
  if (reason === undefined) {
    return problem(
      {
        ...base,
        code: 'coredns-reload-failed',
        severity: 'warning',
        message: `pod ${pod.name} has refused a configuration since it started; whether the present one is good is not known`,
      },
      `kubectl -n kube-system logs ${pod.name} | grep plugin/reload`,
    );
  }
  const file = /\/etc\/coredns\/[^\s:]+/.exec(reason)?.[0];
  const todo = file?.includes('/custom/')
    ? `correct or remove ${keyOf(file)}: kubectl -n kube-system edit configmap coredns-custom`
    : 'kubectl -n kube-system edit configmap coredns';
  if (pod.ready) {
    const message = `pod ${pod.name} runs with an older configuration, and does not start again once it ends: it refuses the present one · ${oneLine(reason, 240)}`;
    return problem({ ...base, code: 'coredns-reload-failed', severity: 'error', message }, todo);
  }
  const code = file?.includes('/custom/') ? 'coredns-custom-broken' : 'corefile-broken';
  const message = `CoreDNS does not start with its configuration: ${oneLine(reason, 240)}`;
  return problem({ ...base, code, severity: 'error', message }, todo);
}

function keyOf(file: string): string {
  return `key ${oneLine(file.split('/').at(-1) ?? file)}`;
}

/** The line moves when something is written above it; the problem is the same one. */
function withoutLine(reason: string): string {
  return reason.replace(/(, )?line \d+(?=:)/, '');
}

function hasReadMetrics(seen: Seen): boolean {
  return podsOf(seen).some(
    ({ address }) => address !== undefined && seen.metrics.get(address)?.kind === 'read',
  );
}
