import { basename } from 'node:path';
import type { ProcessInfo } from './host.ts';

/** What a recording says in place of something that is secret. */
export const notRecordedSecret = 'not recorded: secret';

/** Files that are, or may contain, credentials: kubeconfigs, private keys, tokens, environments of units. */
export function isSecretPath(path: string): boolean {
  if (path === flannelNetworks) return false;
  return /^k3s\.yaml$|kubeconfig|\.key$|token|passw|secret|encryption|\.env$|^environ$|^shadow/i.test(
    basename(path),
  );
}

/** Named like the environment of a unit; Flannel writes its networks there and nothing else. */
const flannelNetworks = '/run/flannel/subnet.env';

/** Requests whose answer contains Secrets. */
export function isSecretRequest(path: string): boolean {
  return /\/secrets(?:[/?]|$)/.test(path);
}

/**
 * A process as it may be shown to others. Arguments are kept of Kubernetes' own programs only, and
 * there not the values of flags that carry credentials; of any other program nothing but its name.
 */
export function withoutSecrets(process: ProcessInfo): ProcessInfo {
  if (!/^(k3s|rke2|kube|flannel|cilium|calico)/.test(process.name)) {
    return { ...process, args: process.args.slice(0, 1).map((program) => program.split(/[\s=]/)[0] ?? '') };
  }
  const args = process.args.map((arg, index) => {
    const assigned = /^(--?[\w-]+=)/.exec(arg)?.[1];
    if (assigned !== undefined) return isSecretFlag(assigned) ? `${assigned}***` : hidePassword(arg);
    const flag = process.args[index - 1] ?? '';
    return !arg.startsWith('-') && /^-/.test(flag) && isSecretFlag(flag) ? '***' : hidePassword(arg);
  });
  return { ...process, args };
}

function isSecretFlag(flag: string): boolean {
  return /token|secret|passw|access-key|datastore-endpoint|^-t=?$/i.test(flag);
}

/** `scheme://user:password@host` */
export function hidePassword(arg: string): string {
  return arg.replace(/:\/\/[^/@\s]*@/g, '://***@');
}
