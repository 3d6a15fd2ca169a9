/** The plugins of CoreDNS itself, from 1.8 on; another build may have more. */
const plugins = new Set(
  `acl any auto autopath azure bind bufsize cache cancel chaos clouddns debug dns64 dnssec dnstap erratic errors etcd
  file forward geoip grpc grpc_server header health hosts https https3 k8s_external kubernetes loadbalance local
  log loop metadata minimal multisocket nomad nsid on pprof prometheus proxyproto quic ready reload rewrite root
  route53 secondary shed sign template timeouts tls trace transfer tsig view whoami`.split(/\s+/),
);

export function isKnownPlugin(name: string): boolean {
  return plugins.has(name);
}
