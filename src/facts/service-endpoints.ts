import type { Fact } from '../engine/fact.ts';
import { endpointSlicesPath, parseEndpointSlices, type ServiceEndpoints } from '../kube/endpoint-slices.ts';
import { tableReadingsFact } from './table-readings.ts';

/**
 * What the API says is behind each Service. `not-needed`: at most one backend has endpoint chains,
 * so there is nothing to compare, and the API is spared.
 */
export type Endpoints =
  | { readonly kind: 'known'; readonly services: ServiceEndpoints; readonly source: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'not-needed' };

export const serviceEndpointsFact: Fact<Endpoints> = {
  id: 'service-endpoints',
  async gather({ get, host }) {
    const tables = await get(tableReadingsFact);
    const withServices = tables.filter(({ reading }) => reading.owned.has('KUBE-SERVICES'));
    if (new Set(withServices.map(({ backend }) => backend)).size < 2) return { kind: 'not-needed' };
    const answer = await host.kubeGet(endpointSlicesPath);
    if (answer.kind === 'unavailable') return answer;
    const parsed = parseEndpointSlices(answer.body);
    if (parsed.kind !== 'parsed') {
      return { kind: 'unavailable', reason: `the API's answer cannot be read: ${parsed.reason}` };
    }
    return { kind: 'known', services: parsed.services, source: answer.source };
  },
};
