/**
 * config/: what an operator may set in /etc/k3s-doctor/config.yaml, and how it is read. This is the
 * tool's own configuration, so it is read here and not through a host: a recorded host is diagnosed
 * with the settings of the machine where that is done.
 */
import type { Tool } from '../host/tools.ts';

export interface Config {
  readonly paths: {
    /** Journal, backups and history. */
    readonly state: string;
    /** Lock and last report; emptied at boot. */
    readonly run: string;
    readonly k3sData: string;
    /** Where k3s keeps its containerd's socket. */
    readonly k3sRun: string;
    /** Address reservations of the CNI's host-local plugin, a folder per network. */
    readonly ipam: string;
  };
  /** Command lines to use in place of what is found on the machine, program first. */
  readonly commands: Partial<Record<Tool, readonly string[]>>;
  readonly kubeconfig?: string;
  readonly guards: {
    /** A plan with more changes than this is refused. */
    readonly maxChanges: number;
  };
  readonly commandTimeoutMs: number;
  readonly checks: {
    readonly 'iptables-ghosts': {
      /** CNI networks that are k3s' own; undefined: the one that k3s' conflist names. */
      readonly networks?: readonly string[];
      /** Whether a connection may be opened to learn which backend translates first. */
      readonly probe: boolean;
    };
  };
}

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
    guards: { maxChanges: 50_000 },
    commandTimeoutMs: 10_000,
    checks: { 'iptables-ghosts': { probe: true } },
  };
}
