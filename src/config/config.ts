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
  readonly guards: Guards;
  /** Of the daemon. */
  readonly schedule: {
    /** Each run begins up to this much later, so that nodes do not ask the API together. */
    readonly jitterSeconds: number;
    readonly runs: readonly ScheduledRun[];
  };
  /** How much of the past is kept in the state directory; the newest run always is. */
  readonly history: { readonly runs: number; readonly megabytes: number };
  readonly commandTimeoutMs: number;
  readonly checks: {
    readonly 'iptables-ghosts': CheckSettings & {
      /** CNI networks that are k3s' own; undefined: the one that k3s' conflist names. */
      readonly networks?: readonly string[];
      /** Whether a connection may be opened to learn which backend translates first. */
      readonly probe: boolean;
    };
    readonly 'forward-rules': CheckSettings;
    readonly 'ufw-overlay': CheckSettings & {
      /** What the hosts need of each other besides the cluster itself. */
      readonly profiles: readonly OverlayProfile[];
      /** Addresses of hosts that take part besides the nodes of the cluster. */
      readonly peers: readonly string[];
      /** Whether rules of ours for a peer that has left are removed. */
      readonly prune: boolean;
    };
    readonly 'world-open': CheckSettings;
    readonly 'flannel-vtep': CheckSettings & {
      /** Whether the other nodes' tunnel addresses may be pinged. */
      readonly probe: boolean;
    };
    readonly 'essential-flows': CheckSettings;
    readonly 'coredns-placement': CheckSettings & {
      /** Names of nodes on which it may run; none and no selector: on servers. */
      readonly nodes: readonly string[];
      /** Labels of nodes on which it may run, in place of `nodes`. */
      readonly selector: Readonly<Record<string, string>>;
      /**
       * `reassert`: k3s may take the pin away at a start of a server; the next run of the doctor sets it
       * again. `skip-file`: k3s is told to leave its manifest alone, and one of ours takes its place.
       */
      readonly persist: 'reassert' | 'skip-file';
      /** How long a roll-out may take before it is taken back. */
      readonly rolloutSeconds: number;
    };
    readonly 'dns-forwarders': CheckSettings & {
      /** Servers to forward to when those in use do not answer, ahead of all others; each is asked first. */
      readonly candidates: readonly string[];
      /** Resolvers of providers by the provider's name, asked when nothing else answers. */
      readonly providers: Readonly<Record<string, readonly string[]>>;
      /** What the servers are asked for. */
      readonly name: string;
      /** An answer that takes longer is called slow. */
      readonly slowMs: number;
      /** How long CoreDNS may take to load what was changed before it is taken back. */
      readonly reloadSeconds: number;
    };
    readonly 'coredns-health': CheckSettings;
    readonly 'host-dns': CheckSettings & {
      /** Names that this host has to resolve besides those of registries and of the API. */
      readonly names: readonly string[];
    };
  };
}

/** `ipsec`: ESP, UDP 500 and 4500. `ipsec-ah`: AH. `docker-overlay`: an encrypted one: ESP, UDP 500, 4789, 7946. */
export const overlayProfiles = ['ipsec', 'ipsec-ah', 'docker-overlay'] as const;

export type OverlayProfile = (typeof overlayProfiles)[number];

export type CheckId = keyof Config['checks'];

export interface CheckSettings {
  /** `off`: not run, and nothing is said of it. `report`: found and never repaired. `fix`: repaired by `fix`. */
  readonly mode: 'off' | 'report' | 'fix';
  /** A plan of this check with more changes is not applied; undefined: `guards.maxChanges`. */
  readonly maxChanges?: number;
}

/** What keeps a fix from making things worse. All but `maxChanges`, `confirmSeconds` and `probes` concern unattended runs alone. */
export interface Guards {
  /** For each check: a plan with more changes than this is not applied. */
  readonly maxChanges: number;
  /** How many runs in a row must have seen a finding before it is acted on. */
  readonly strikes: number;
  /** After an attempt, good or bad, the same finding is left alone for so long. */
  readonly cooldownMinutes: number;
  /** After so many failed attempts a finding is only reported until something about it changes. */
  readonly attempts: number;
  /** After so many failed runs in a row nothing is repaired on this node for so long. */
  readonly breaker: { readonly failures: number; readonly minutes: number };
  /** A change of the firewall that is not confirmed by then is taken back by the dead man's switch. */
  readonly confirmSeconds: number;
  /** What must not stop working: compared before and after a change of the firewall. */
  readonly probes: {
    readonly api: boolean;
    readonly ssh: boolean;
    readonly dns: boolean;
    readonly peer: boolean;
  };
  /** `ADDRESS` or `ADDRESS/LENGTH`: whence operators come. No change may keep them from SSH and the API. */
  readonly adminNetworks: readonly string[];
}

export interface ScheduledRun {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  readonly verb: 'check' | 'fix';
  /** All without. */
  readonly checks?: readonly CheckId[];
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
    guards: {
      maxChanges: 50_000,
      strikes: 2,
      cooldownMinutes: 15,
      attempts: 3,
      breaker: { failures: 3, minutes: 60 },
      confirmSeconds: 120,
      probes: { api: true, ssh: true, dns: true, peer: true },
      adminNetworks: [],
    },
    schedule: {
      jitterSeconds: 30,
      runs: [{ cron: '*/5 * * * *', verb: 'fix', checks: ['iptables-ghosts'] }],
    },
    history: { runs: 50, megabytes: 200 },
    commandTimeoutMs: 10_000,
    checks: {
      'iptables-ghosts': { mode: 'fix', probe: true },
      'forward-rules': { mode: 'fix' },
      'ufw-overlay': { mode: 'fix', profiles: [], peers: [], prune: false },
      'world-open': { mode: 'report' },
      'flannel-vtep': { mode: 'fix', probe: true },
      'essential-flows': { mode: 'report' },
      'coredns-placement': {
        mode: 'fix',
        nodes: [],
        selector: {},
        persist: 'reassert',
        rolloutSeconds: 120,
      },
      'dns-forwarders': {
        mode: 'fix',
        candidates: [],
        providers: {
          hetzner: ['185.12.64.1', '185.12.64.2'],
          'hetzner-ipv6': ['2a01:4ff:ff00::add:1', '2a01:4ff:ff00::add:2'],
          aws: ['169.254.169.253'],
          google: ['169.254.169.254'],
          azure: ['168.63.129.16'],
          digitalocean: ['67.207.67.2', '67.207.67.3'],
          ovh: ['213.186.33.99'],
          vultr: ['108.61.10.10'],
        },
        name: 'registry-1.docker.io',
        slowMs: 1_000,
        reloadSeconds: 180,
      },
      'coredns-health': { mode: 'report' },
      'host-dns': { mode: 'report', names: [] },
    },
  };
}
