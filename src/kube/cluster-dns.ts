import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';

/** Listed and not got by name: kube-proxy's credentials, all that an agent may have, allow no more. */
export const clusterDnsPath =
  '/api/v1/namespaces/kube-system/services?fieldSelector=metadata.name%3Dkube-dns';

/** The address of Service kube-dns in the answer to `clusterDnsPath`; undefined when there is none. */
export function parseClusterDns(body: string): string | undefined {
  const service = z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.object({ clusterIP: z.string().optional() }),
  });
  const parsed = z.object({ items: z.array(service) }).safeParse(parseJson(body));
  const address = parsed.data?.items.find(({ metadata }) => metadata.name === 'kube-dns')?.spec.clusterIP;
  return address === 'None' || address === '' ? undefined : address;
}
