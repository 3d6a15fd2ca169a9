import type { Finding, Severity } from '../../engine/finding.ts';
import type { HostName } from '../../facts/dns/host-names.ts';
import { correctResolvConf } from './answers.ts';

/** Names that this host does not resolve, and what does not work for it. */
export function judgeNames(names: readonly HostName[]): readonly Finding[] {
  return names.flatMap(({ name, why, kind, answer }): readonly Finding[] => {
    if (answer.kind !== 'unresolved') return [];
    return [
      {
        code: 'host-name-unresolved',
        subject: name,
        severity: severities[kind],
        message: `this host does not resolve ${name} (${answer.reason}): ${hurts[kind]}`,
        effect: 'loses',
        evidence: [
          { source: `getent ahosts ${name}`, observed: answer.reason, expected: 'an address' },
          { source: 'why it is needed', observed: why },
        ],
        remedy: { kind: 'none', reason: correctResolvConf },
      },
    ];
  });
}

const severities: Readonly<Record<HostName['kind'], Severity>> = {
  api: 'error',
  registry: 'warning',
  configured: 'error',
};

const hurts: Readonly<Record<HostName['kind'], string>> = {
  api: 'k3s here does not find its server when it starts',
  registry: 'images that are not here yet are not pulled',
  configured: 'the configuration of the doctor asks for it',
};
