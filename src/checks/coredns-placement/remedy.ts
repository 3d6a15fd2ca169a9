import type { Finding } from '../../engine/finding.ts';
import type { Move } from './move.ts';

export function remedyBy(move: Move): Finding['remedy'] {
  switch (move.kind) {
    case 'move':
      return { kind: 'planned' };
    case 'held':
      return { kind: 'held', reason: move.reason };
    case 'there':
      return {
        kind: 'none',
        reason: `CoreDNS is pinned to ${move.pin.words} already, and its pods have not moved${move.why === undefined ? '' : `: ${move.why}`}; see "kubectl -n kube-system rollout status deployment coredns"`,
      };
  }
}
