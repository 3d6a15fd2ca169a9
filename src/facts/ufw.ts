import type { Fact } from '../engine/fact.ts';
import type { FileResult, Host } from '../host/host.ts';
import { type Family, families } from '../netfilter/ruleset.ts';
import {
  parseUfwPolicy,
  parseUfwRules,
  parseUfwSettings,
  type UfwPolicy,
  type UfwRule,
} from './parse-ufw.ts';

export type { UfwPolicy, UfwRule };

/**
 * UFW as its files say. `ufw status` is not asked: it lists rules with `iptables -L`, which registers
 * tables that are not there.
 */
export type Ufw =
  | { readonly kind: 'absent' }
  | { readonly kind: 'inactive' }
  | {
      readonly kind: 'active';
      readonly defaults: {
        readonly incoming: UfwPolicy;
        readonly outgoing: UfwPolicy;
        readonly routed: UfwPolicy;
      };
      readonly ipv6: boolean;
      /** In UFW's order, IPv4 then IPv6. */
      readonly rules: readonly UfwRule[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

export const ufwFact: Fact<Ufw> = {
  id: 'ufw',
  async gather({ host }) {
    const conf = await host.readFile('/etc/ufw/ufw.conf');
    if (conf.kind === 'absent') return { kind: 'absent' };
    if (conf.kind === 'unreadable') return unavailable('/etc/ufw/ufw.conf', whyNot(conf));
    if (parseUfwSettings(conf.text).get('ENABLED') !== 'yes') return { kind: 'inactive' };

    const file = await host.readFile('/etc/default/ufw');
    if (file.kind !== 'read') return unavailable('/etc/default/ufw', whyNot(file));
    const settings = parseUfwSettings(file.text);
    const incoming = parseUfwPolicy(settings.get('DEFAULT_INPUT_POLICY'));
    const outgoing = parseUfwPolicy(settings.get('DEFAULT_OUTPUT_POLICY'));
    const routed = parseUfwPolicy(settings.get('DEFAULT_FORWARD_POLICY'));
    if (incoming === undefined || outgoing === undefined || routed === undefined) {
      return unavailable('/etc/default/ufw', 'it lacks a policy of ACCEPT, DROP or REJECT');
    }
    const ipv6 = settings.get('IPV6') === 'yes';
    const rules: UfwRule[] = [];
    for (const family of ipv6 ? families : ipv4Only) {
      const read = await readRules(host, family);
      if (typeof read === 'string') return { kind: 'unavailable', reason: read };
      rules.push(...read);
    }
    return { kind: 'active', defaults: { incoming, outgoing, routed }, ipv6, rules };
  },
};

const ipv4Only = ['ipv4'] as const;

/** A line for a person when they cannot be read. */
async function readRules(host: Host, family: Family): Promise<readonly UfwRule[] | string> {
  const path = family === 'ipv4' ? '/etc/ufw/user.rules' : '/etc/ufw/user6.rules';
  const file = await host.readFile(path);
  if (file.kind !== 'read') return `${path}: ${whyNot(file)}`;
  const parsed = parseUfwRules(family, file.text);
  return parsed.kind === 'parsed' ? parsed.rules : `${path} line ${parsed.line}: ${parsed.reason}`;
}

function whyNot(file: Exclude<FileResult, { kind: 'read' }>): string {
  return file.kind === 'absent' ? 'it is not there' : `it cannot be read: ${file.reason}`;
}

function unavailable(path: string, why: string): Ufw {
  return { kind: 'unavailable', reason: `${path}: ${why}` };
}
