import type { Config } from './schema.ts';

/** What holds when nothing is configured. Kept apart from the schema: most nodes have no file and need no parser. */
export function defaultConfig(): Config {
  return {
    paths: {
      state: '/var/lib/k3s-doctor',
      run: '/run/k3s-doctor',
      k3sData: '/var/lib/rancher/k3s',
      k3sRun: '/run/k3s',
      ipam: '/var/lib/cni/networks',
    },
    commands: {},
    guards: { maxChanges: 10_000 },
    commandTimeoutMs: 10_000,
    checks: { 'iptables-ghosts': { probe: true } },
  };
}
