import type { FileWriteStep } from '../../engine/step.ts';
import { ownDropInPath, ownResolvConfPath } from '../../facts/dns/packaged.ts';
import type { Seen } from './seen.ts';

interface Lasting {
  readonly steps: readonly FileWriteStep[];
  /** Begins with `; `. */
  readonly words: string;
}

/**
 * A k3s server writes its own Corefile again at each start, and that one asks whom kubelet's resolv.conf
 * names: so k3s is given one with the servers that answer. It reads it when it is started.
 */
export function planLasting({ packaged, resolvers }: Seen, servers: readonly string[]): Lasting {
  if (isLeftAlone({ packaged })) return { steps: [], words: '' };
  if (!packaged.isServer) {
    return { steps: [], words: '; until a k3s server is started, which writes its own Corefile' };
  }
  const { kubelet } = resolvers;
  if (kubelet.kind === 'unknown') {
    return {
      steps: [],
      words: `; until k3s is started, as it is not known which resolv.conf it takes then: ${kubelet.reason}`,
    };
  }
  if (kubelet.by === 'option' && kubelet.from !== ownDropInPath) {
    const where = kubelet.from === undefined ? '' : ` in ${kubelet.from}`;
    return {
      steps: [],
      words: `; until k3s is started: for after that write them into ${kubelet.conf.path}, which your resolv-conf${where} names`,
    };
  }
  const steps = [
    fileStep(ownResolvConfPath, packaged.ownResolvConf, resolvConfText(servers), 0o644),
    fileStep(ownDropInPath, packaged.ownDropIn, dropInText, 0o600),
  ].filter(({ content, basedOn }) => content !== basedOn);
  return {
    steps,
    words: '; k3s takes them, too, at its next start',
  };
}

/** Whether k3s leaves the Corefile of the cluster as it is. */
export function isLeftAlone({ packaged }: Pick<Seen, 'packaged'>): boolean {
  return packaged.isDisabled || (packaged.isSkipped && packaged.ownManifest === null);
}

const written = '# Written by k3s-doctor (dns-forwarders), taken away again by "doctor undo".\n';

const dropInText = `${written}resolv-conf: ${ownResolvConfPath}\n`;

function resolvConfText(servers: readonly string[]): string {
  return `${written}${servers.map((server) => `nameserver ${server}\n`).join('')}`;
}

function fileStep(path: string, basedOn: string | null, content: string, mode: number): FileWriteStep {
  return { kind: 'file-write', path, content, basedOn, mode };
}
