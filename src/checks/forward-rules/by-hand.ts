import type { Family } from '../../netfilter/ruleset.ts';
import { decisionWords, nftFamily } from '../../netfilter/walk/decision-words.ts';
import type { Cause } from './cause.ts';
import type { Surroundings } from './surroundings.ts';

/** Why a machine should not open it, and what a person can type. */
export function whyByHand(cause: Cause, family: Family, cidr: string, surroundings: Surroundings): string {
  const { owner, decision, isGeneral } = cause;
  const program = family === 'ipv6' ? 'ip6tables' : 'iptables';
  switch (owner) {
    case 'kernel':
      return kernelWords(cause, family);
    case 'firewalld':
      return surroundings.firewalld
        ? `firewalld decides, and rules beside it do not count; ${trust(cidr)}`
        : `firewalld does not run, and its rules are still in the kernel; systemctl start firewalld, then ${trust(cidr)}`;
    case 'native':
      return `another table of nft's decides, whose owner is not known; ${nftCommands(cause, family, cidr)}`;
    case 'ufw':
      if (!isGeneral)
        return `somebody told UFW so, about these packets; to overrule it: ufw route prepend allow from ${cidr}, ufw route prepend allow to ${cidr}; or delete the rule: ufw status numbered`;
      break;
    case 'docker-user':
      return `DOCKER-USER holds the operator's own rules; to overrule it: ${program} -I DOCKER-USER -s ${cidr} -j ACCEPT, and the same with -d`;
    default:
  }
  if (decision.kind === 'rule' && decision.rule.table !== 'filter') {
    return `it is in table ${decision.rule.table}, where nothing else can overrule it; look at it: ${program}-${decision.rule.backend} -t ${decision.rule.table} -S ${decision.rule.chain}`;
  }
  if (!isGeneral && decision.kind === 'rule') {
    const tool = `${program}-${decision.rule.backend}`;
    return `the rule is about just these packets, so somebody means it; to overrule it: ${tool} -I ${decision.rule.chain} ${decision.rule.number} -s ${cidr} -j ACCEPT, and the same with -d`;
  }
  return `no rule of ours would open it: ${decisionWords(decision)}`;
}

function kernelWords({ decision }: Cause, family: Family): string {
  const reason = decision.kind === 'kernel' ? decision.reason : '';
  if (!/forwarding/.test(reason)) return 'it is not a rule that stops it';
  const key = family === 'ipv6' ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward';
  return `k3s turns it on when it starts, so something has turned it off since: sysctl -w ${key}=1, and look for it: grep -rs forward /etc/sysctl.conf /etc/sysctl.d /etc/ufw/sysctl.conf`;
}

function trust(cidr: string): string {
  return `firewall-cmd --permanent --zone=trusted --add-source=${cidr} && firewall-cmd --reload`;
}

function nftCommands({ decision }: Cause, family: Family, cidr: string): string {
  if (decision.kind !== 'rule' && decision.kind !== 'policy') return '';
  const at = decision.kind === 'rule' ? decision.rule : decision.chain;
  const rule = (field: string) =>
    `nft insert rule ${nftFamily(at.family)} ${at.table} ${at.chain} ${nftFamily(family)} ${field} ${cidr} accept`;
  return `to overrule it: ${rule('saddr')}; ${rule('daddr')}`;
}
