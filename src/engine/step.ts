import type { DnsQuestion, TextEncoding } from '../host/host.ts';
import type { Tool } from '../host/tools.ts';
import type { Addition } from '../netfilter/addition.ts';
import type { Removal } from '../netfilter/removal.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';

/**
 * One change, as data: it can be shown, journalled, and taken back by another process.
 * How each kind is described, probed, applied, verified and reverted is in `steps/`.
 */
export type Step =
  | IptablesBatchStep
  | ConntrackDeleteStep
  | FileWriteStep
  | CommandStep
  | KubePatchStep
  | UfwRuleStep
  | LinkEntryStep
  | ConfigMapKeyStep
  | WaitStep;

/** Chains and rules out of one table, or into it, in one transaction. */
export interface IptablesBatchStep {
  readonly kind: 'iptables-batch';
  readonly backend: Backend;
  readonly family: Family;
  readonly change:
    | {
        readonly kind: 'remove';
        readonly removal: Removal;
        /** Of the chains to be removed, as they were when the plan was made. If it differs, nothing is done. */
        readonly digest: string;
      }
    | {
        readonly kind: 'add';
        readonly addition: Addition;
        /** It was not there before: it is ours, and nothing that is put back. */
        readonly isNew?: true;
      };
  /** True where kube-proxy or the CNI may be writing to the same table meanwhile. */
  readonly ownersWrite: boolean;
}

/** Deletes the connections that a removed rule sent to a dead target, and no others. */
export interface ConntrackDeleteStep {
  readonly kind: 'conntrack-delete';
  readonly family: Family;
  readonly flows: readonly DeadFlow[];
}

export interface DeadFlow {
  readonly protocol: string;
  /** What the client connected to; undefined: any address. */
  readonly address: string | undefined;
  readonly port: number;
  /** Where the removed rule sent it. */
  readonly target: string;
  readonly targetPort: number;
}

/** Makes, replaces or removes one file, by rename. A file that is there keeps its owner and mode. */
export interface FileWriteStep {
  readonly kind: 'file-write';
  /** Absolute. Folders above it that are missing are made, 0755. */
  readonly path: string;
  /** Null: the file is to be gone. */
  readonly content: string | null;
  /** What the plan was made from: content that was there, null for none. Anything else now: nothing is done. */
  readonly basedOn: string | null;
  /** Of both; default `utf8`, and a file that is no such text is left alone. `latin1` takes every byte. */
  readonly encoding?: TextEncoding;
  /** Of a file that is new; an existing one keeps its own. E.g. 0o644. */
  readonly mode: number;
  /** Of a file that is new; default root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Folders that go, too, when this leaves them empty, the innermost first. */
  readonly removesFolders?: readonly string[];
}

/** Runs one program. */
export interface CommandStep {
  readonly kind: 'command';
  /** One line: what changes where. */
  readonly title: string;
  readonly command: CommandLine;
  /** Changes nothing; says by its exit code whether the change is there: 0 yes, 1 to 125 no. */
  readonly check?: CommandLine;
  /** True where it is the check's "no" that means done: in a step that takes another one back. */
  readonly undoes?: boolean;
  /**
   * Takes it back; without one the step cannot be taken back. Where there is no check it is also run after
   * a command that failed, or may not have been run.
   */
  readonly revert?: CommandLine;
  /** True when it changes what packets may pass. */
  readonly firewall?: boolean;
  /** True when all that it does to the rules is to accept more: it can shut nobody out. Only with `firewall`. */
  readonly onlyOpens?: boolean;
}

export interface CommandLine {
  readonly tool: Tool;
  readonly args: readonly string[];
}

/** Adds one rule to an active UFW, or deletes one of ours from it, by the `ufw` command alone. */
export interface UfwRuleStep {
  readonly kind: 'ufw-rule';
  readonly change: 'add' | 'delete';
  readonly rule: UfwRuleSpec;
  /**
   * Of a step that takes another one back: UFW's files of rules as they were, null for one that was not
   * there. One that a kill has cut off in the middle is put back from here.
   */
  readonly files?: Readonly<Record<Family, string | null>>;
}

/** As `ufw [route] allow ...` takes it. What is open to everybody is left to people. */
export interface UfwRuleSpec {
  /** Of `ufw route ...`: what the node forwards; else what comes to the node itself. */
  readonly route: boolean;
  readonly action: 'allow';
  readonly direction: 'in';
  readonly protocol: 'any' | 'tcp' | 'udp' | 'esp' | 'ah';
  /** `any`, an address, or `ADDRESS/LENGTH` without bits beyond its length. */
  readonly source: string;
  readonly destination: string;
  /** Of the destination: `22`, `500,4500`, `60000:61000`. */
  readonly port: string | undefined;
  readonly inLink?: string;
  /** Of a route rule. */
  readonly outLink?: string;
  /** Begins with `k3s-doctor`. */
  readonly comment: string;
  /** Ahead of the rules that are there, because one of them stands in its way. Default: behind them. */
  readonly first?: true;
}

/** Sets fields of one object of the cluster by a JSON patch that tests what it replaces. */
export interface KubePatchStep {
  readonly kind: 'kube-patch';
  /** One line: what changes where. */
  readonly title: string;
  /** Of the object in the API, e.g. `/apis/apps/v1/namespaces/kube-system/deployments/coredns`. */
  readonly object: string;
  readonly fields: readonly FieldChange[];
}

/** JSON values; a missing one means that the field is not there. */
export interface FieldChange {
  /** RFC 6901, e.g. `/spec/template/spec/nodeSelector`. */
  readonly pointer: string;
  readonly was?: unknown;
  readonly value?: unknown;
}

/** One entry that the kernel keeps for a link: who its neighbour is, where frames go, what the link does itself. */
export interface LinkEntryStep {
  readonly kind: 'link-entry';
  readonly link: string;
  /**
   * `neighbour`: MAC address of an IP address. `fdb`: tunnel address for a MAC address. `feature`: `on` or
   * `off`, by ethtool's name of it.
   */
  readonly table: 'neighbour' | 'fdb' | 'feature';
  readonly key: string;
  /** What the plan was made from; null: there was no entry. Anything else now: nothing is done. */
  readonly was: string | null;
  /** Null: there is to be none. */
  readonly value: string | null;
}

/**
 * Sets one key of a ConfigMap, which is made if there is none; or takes it out again, and the ConfigMap with
 * it where it is ours and nothing else is in it. Nobody else's key is touched.
 */
export interface ConfigMapKeyStep {
  readonly kind: 'config-map-key';
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** What the plan was made from; null: no such key. Anything else now: nothing is done. */
  readonly was: string | null;
  /** Null: there is to be none. */
  readonly value: string | null;
  /** Of a step that takes another one back: the ConfigMap was made by it, and goes when nothing else is in it. */
  readonly removesEmpty?: true;
}

/** Writes nothing: waits until what was changed before it has come about. A plan that waits in vain is taken back. */
export interface WaitStep {
  readonly kind: 'wait';
  /** One line: what is waited for, e.g. `CoreDNS has rolled out`. Shown behind `wait until`. */
  readonly title: string;
  readonly until: Condition;
  /** From when it begins. */
  readonly deadlineMs: number;
  /**
   * It may have come about before, unseen: then waiting for it is in vain, and the steps behind it decide. What
   * can be seen to have failed still ends the plan.
   */
  readonly orGoOn?: true;
}

export type Condition =
  /** The Deployment runs as its spec says, with all its replicas, and nothing of the old one is left to come. */
  | { readonly kind: 'rolled-out' /** Its path in the API. */; readonly object: string }
  /** Each server gives an answer with code NOERROR (NXDOMAIN, too, with `orNoSuchName`). */
  | {
      readonly kind: 'dns-answers';
      readonly questions: readonly DnsQuestion[];
      readonly orNoSuchName?: true;
    }
  /**
   * Each of these pods runs another configuration than before, and has not failed to load one since; or it
   * is gone, or going, and its successor has begun with the new one.
   */
  | { readonly kind: 'coredns-reloaded'; readonly pods: readonly CoreDnsBefore[] };

export interface CoreDnsBefore {
  /** Of the pod in kube-system. */
  readonly name: string;
  /** Its metrics are at `http://ADDRESS:METRICSPORT/metrics`. */
  readonly address: string;
  /** Default 9153. */
  readonly metricsPort?: number;
  /** Of the container that CoreDNS ran in, without `containerd://`; undefined: not known. */
  readonly containerWas?: string;
  /** As `coredns_reload_version_info` told it. Empty: it told none, as CoreDNS does until it reloads for the first time. */
  readonly hashWas: string;
  /** As `coredns_reload_failed_total` counted. */
  readonly failedWas: number;
}
