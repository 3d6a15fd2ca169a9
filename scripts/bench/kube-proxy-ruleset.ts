import { endpointHash, servicePortHash } from '../../src/netfilter/chain-names.ts';

/**
 * The nat table that kube-proxy writes for Services of three endpoints each, as restore input.
 * `shift` moves all endpoints to other addresses: an earlier era of the same Services.
 */
export function kubeProxyRuleset(services: number, shift: number): string {
  const declarations = [
    'KUBE-SERVICES',
    'KUBE-NODEPORTS',
    'KUBE-POSTROUTING',
    'KUBE-MARK-MASQ',
    'KUBE-PROXY-CANARY',
  ];
  const rules = [
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
  ];
  for (let i = 0; i < services; i++) {
    const name = `default/service-${i}:http`;
    const service = `KUBE-SVC-${servicePortHash(name, 'tcp')}`;
    const vip = `10.${43 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`;
    declarations.push(service);
    rules.push(
      `-A KUBE-SERVICES -d ${vip} -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j ${service}`,
      `-A ${service} ! -s 10.42.0.0/16 -d ${vip} -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
    );
    for (const probability of ['0.33333333349', '0.50000000000', undefined]) {
      const k = i * 3 + (probability === undefined ? 2 : probability.startsWith('0.5') ? 1 : 0) + shift;
      const address = `10.${100 + (k >> 16)}.${(k >> 8) & 255}.${k & 255}`;
      const endpoint = `KUBE-SEP-${endpointHash(name, 'tcp', `${address}:8080`)}`;
      const statistic =
        probability === undefined ? '' : ` -m statistic --mode random --probability ${probability}`;
      declarations.push(endpoint);
      rules.push(
        `-A ${service} -m comment --comment "${name} -> ${address}:8080"${statistic} -j ${endpoint}`,
        `-A ${endpoint} -s ${address}/32 -m comment --comment "${name}" -j KUBE-MARK-MASQ`,
        `-A ${endpoint} -p tcp -m comment --comment "${name}" -m tcp -j DNAT --to-destination ${address}:8080`,
      );
    }
  }
  rules.push(
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
  );
  const table = [
    ':PREROUTING ACCEPT [0:0]',
    ':INPUT ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ':POSTROUTING ACCEPT [0:0]',
  ];
  return ['*nat', ...table, ...declarations.map((chain) => `:${chain} - [0:0]`), ...rules, 'COMMIT', ''].join(
    '\n',
  );
}
