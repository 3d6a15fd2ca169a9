import type { Host } from '../host/host.ts';

export type FileLook =
  | { readonly kind: 'file'; readonly content: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'other'; readonly reason: string };

/** What is at a path, as text; a link is not followed. */
export async function lookAtFile(path: string, host: Host): Promise<FileLook> {
  const status = await host.fileStatus(path);
  if (status.kind === 'absent') return status;
  if (status.kind === 'other') return { kind: 'other', reason: `it is ${status.what}` };
  const file = await host.readFile(path);
  if (file.kind === 'read') return { kind: 'file', content: file.text };
  return { kind: 'other', reason: file.kind === 'unreadable' ? file.reason : 'it went away just now' };
}
