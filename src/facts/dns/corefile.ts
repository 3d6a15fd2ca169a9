import { type Corefile, parseCorefile } from '../../coredns/corefile.ts';
import {
  type CorefileFiles,
  clusterDomain,
  type Flaw,
  type Forward,
  resolveForwards,
} from '../../coredns/forwards.ts';
import type { Fact } from '../../engine/fact.ts';
import { type CoreDns, coreDnsFact } from './coredns.ts';

/** Where k3s mounts ConfigMap coredns-custom. */
export const customFolder = '/etc/coredns/custom/';
/** Our key in it. */
export const ownOverrideKey = 'k3s-doctor-upstream.override';
export const ownOverridePath = `${customFolder}${ownOverrideKey}`;

/** The live Corefile, read as CoreDNS would. */
export type LiveCorefile =
  | {
      readonly kind: 'read';
      readonly corefile: Corefile;
      /** The keys of `coredns-custom` (`/etc/coredns/custom/KEY`), NodeHosts. */
      readonly files: CorefileFiles;
      readonly forwards: readonly Forward[];
      readonly doubts: readonly string[];
      /** With what CoreDNS does not start, as far as is known here; among the doubts, too. */
      readonly refused?: readonly Flaw[];
      /** Of the cluster, e.g. `cluster.local`. */
      readonly domain: string;
    }
  /** CoreDNS would not start with it. `file`: undefined for the Corefile itself. */
  | {
      readonly kind: 'broken';
      readonly reason: string;
      readonly file: string | undefined;
      readonly line?: number;
    }
  /** There is no ConfigMap `coredns`, or it holds no Corefile. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export type ReadCorefile = Extract<LiveCorefile, { kind: 'read' }>;

export const liveCorefileFact: Fact<LiveCorefile> = {
  id: 'live-corefile',
  async gather({ get }) {
    const { config, custom } = await get(coreDnsFact);
    if (config.kind === 'unavailable') return config;
    if (config.kind === 'absent') {
      return { kind: 'absent', reason: 'there is no ConfigMap coredns in kube-system' };
    }
    const { Corefile: text, ...others } = config.value.data;
    if (text === undefined) return { kind: 'absent', reason: 'ConfigMap coredns holds no Corefile' };
    return readCorefile(text, filesOf(others, custom), doubtsAbout(custom));
  },
};

function readCorefile(text: string, files: CorefileFiles, doubts: readonly string[]): LiveCorefile {
  const parsed = parseCorefile(text);
  if (parsed.kind === 'malformed') {
    return { kind: 'broken', reason: parsed.reason, file: undefined, line: parsed.line };
  }
  const { corefile } = parsed;
  const resolved = resolveForwards(corefile, files);
  if (resolved.kind === 'broken') {
    const { reason, file, line } = resolved;
    return { kind: 'broken', reason, file, ...(line !== undefined && { line }) };
  }
  return {
    kind: 'read',
    corefile,
    files,
    forwards: resolved.forwards,
    doubts: [...doubts, ...resolved.doubts],
    refused: resolved.refused ?? [],
    domain: clusterDomain(corefile) ?? 'cluster.local',
  };
}

/** Where the Deployment of k3s mounts them. */
function filesOf(others: Readonly<Record<string, string>>, custom: CoreDns['custom']): CorefileFiles {
  const customs = custom.kind === 'known' ? custom.value.data : {};
  return new Map([
    ...Object.entries(others).map(([name, text]) => [`/etc/coredns/${name}`, text] as const),
    ...Object.entries(customs).map(([name, text]) => [`${customFolder}${name}`, text] as const),
  ]);
}

function doubtsAbout(custom: CoreDns['custom']): readonly string[] {
  if (custom.kind === 'known') {
    return (custom.value.binaryKeys ?? []).map(
      (key) => `coredns-custom, key ${key} is binaryData: what it adds is not known`,
    );
  }
  if (custom.kind !== 'unavailable') return [];
  return [`ConfigMap coredns-custom could not be read, and what it adds is not known: ${custom.reason}`];
}
