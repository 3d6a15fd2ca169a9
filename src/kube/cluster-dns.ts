import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

/** Listed and not got by name: kube-proxy's credentials, all that an agent may have, allow no more. */
export const clusterDnsPath =
  '/api/v1/namespaces/kube-system/services?fieldSelector=metadata.name%3Dkube-dns';

/** The address of Service kube-dns in the answer to `clusterDnsPath`; undefined when there is none. */
export function parseClusterDns(body: string): string | undefined {
  const parsed = parseClusterDnsAddresses(body);
  return parsed.kind === 'parsed' ? parsed.addresses?.[0] : undefined;
}

export type ParsedClusterDns =
  /** `addresses`: of both families, the first one first; undefined: there is no such Service. */
  | { readonly kind: 'parsed'; readonly addresses: readonly string[] | undefined }
  | { readonly kind: 'malformed'; readonly reason: string };

export function parseClusterDnsAddresses(body: string): ParsedClusterDns {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = listSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  const spec = parsed.data.items.find(({ metadata }) => metadata.name === 'kube-dns')?.spec;
  if (spec === undefined) return { kind: 'parsed', addresses: undefined };
  const all = [spec.clusterIP, ...(spec.clusterIPs ?? [])];
  const addresses = all.filter((address) => typeof address === 'string').filter(isAddress);
  return { kind: 'parsed', addresses: [...new Set(addresses)] };
}

/** A headless Service has `None`. */
function isAddress(text: string): boolean {
  return text !== '' && text !== 'None';
}

function listSchema() {
  const spec = z.object({ clusterIP: z.string().nullish(), clusterIPs: z.array(z.string()).nullish() });
  return z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }), spec })) });
}
