import type { UfwRuleSpec } from '../../engine/step.ts';
import type { Opening } from './opening.ts';

/** As `ufw route allow` is told, least first. */
export function ufwRules(opening: Opening & { readonly kind: 'ufw' }): readonly UfwRuleSpec[] {
  const { needs, cidr, first } = opening;
  const rule = { route: true, action: 'allow', direction: 'in', protocol: 'any', port: undefined } as const;
  const place = first ? ({ first: true } as const) : {};
  return [
    ...(needs.from
      ? [{ ...rule, source: cidr, destination: 'any', comment: 'k3s-doctor: what pods send', ...place }]
      : []),
    ...(needs.to
      ? [{ ...rule, source: 'any', destination: cidr, comment: 'k3s-doctor: what pods receive', ...place }]
      : []),
  ];
}
