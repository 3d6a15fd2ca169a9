import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';
import { ownManifestName } from '../../facts/dns/packaged.ts';
import type { Move } from './move.ts';
import { lastingOf, skipName, versionIn } from './own-manifest.ts';
import type { Seen } from './seen.ts';

/** A pin that is there and goes when k3s starts, though `persist: skip-file` says that it is to stay. */
export function judgeLasting(
  seen: Seen,
  move: Move,
): { readonly findings: readonly Finding[]; readonly steps: readonly Step[] } {
  const lasting = move.kind === 'there' ? lastingOf(seen, move.pin) : undefined;
  const old = judgeVersion(seen);
  if (lasting === undefined || lasting.kind === 'not-asked' || lasting.kind === 'done') {
    return { findings: old, steps: [] };
  }
  const { folder, isSkipped } = seen.packaged;
  const finding: Finding = {
    code: 'coredns-pin-not-lasting',
    subject: `manifest in ${folder}`,
    severity: 'warning',
    message: 'CoreDNS is pinned, and k3s may take the pin away when it starts on this server',
    effect: 'dormant',
    evidence: [
      { source: `${folder}/${skipName}`, observed: isSkipped ? 'there' : 'not there', expected: 'there' },
      { source: `${folder}/${ownManifestName}`, observed: 'without this pin', expected: 'with it' },
    ],
    remedy: lasting.kind === 'files' ? { kind: 'planned' } : { kind: 'held', reason: lasting.reason },
  };
  return { findings: [finding, ...old], steps: lasting.kind === 'files' ? lasting.steps : [] };
}

/** k3s was upgraded, and left its manifest of CoreDNS alone as it was told to. */
function judgeVersion({ packaged, nodes: { self } }: Seen): readonly Finding[] {
  const { folder, isSkipped, ownManifest } = packaged;
  const made = versionIn(ownManifest ?? '');
  const runs = self?.version;
  if (!isSkipped || made === undefined || runs === undefined || made === runs) return [];
  return [
    {
      code: 'coredns-manifest-old',
      subject: `manifest in ${folder}`,
      severity: 'info',
      message: `CoreDNS is still that of k3s ${made}, as k3s ${runs} was told to leave its manifest alone`,
      effect: 'idle',
      evidence: [{ source: `${folder}/${ownManifestName}`, observed: made, expected: runs }],
      remedy: {
        kind: 'none',
        reason: `remove ${skipName} and ${ownManifestName} from ${folder}, restart k3s when it suits, then run "doctor fix coredns-placement"`,
      },
    },
  ];
}
