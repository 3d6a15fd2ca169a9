import type { Fact } from '../engine/fact.ts';
import { endpointSlicesPath, parseEndpointSlices, type ServiceEndpoints } from '../kube/endpoint-slices.ts';
import { markedBackends, type ReadTable, tableReadingsFact } from './table-readings.ts';

/**
 * What the API says is behind each Service. `not-needed`: nothing in the tables is in doubt.
 */
export type Endpoints =
  | { readonly kind: 'known'; readonly services: ServiceEndpoints; readonly source: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'not-needed' };

export const serviceEndpointsFact: Fact<Endpoints> = {
  id: 'service-endpoints',
  async gather({ get }) {
    return needsEndpoints(await get(tableReadingsFact)) ? get(endpointSlicesFact) : { kind: 'not-needed' };
  },
};

/** The same, asked whether anything is in doubt or not. */
export const endpointSlicesFact: Fact<Exclude<Endpoints, { kind: 'not-needed' }>> = {
  id: 'endpoint-slices',
  async gather({ host }) {
    const answer = await host.kubeGet(endpointSlicesPath);
    if (answer.kind === 'unavailable') return answer;
    const parsed = parseEndpointSlices(answer.body);
    if (parsed.kind !== 'parsed') {
      return { kind: 'unavailable', reason: `the API's answer cannot be read: ${parsed.reason}` };
    }
    return { kind: 'known', services: parsed.services, source: answer.source };
  },
};

/** On a healthy node only the backend that kubelet marks has Services, and the API is spared. */
function needsEndpoints(tables: readonly ReadTable[]): boolean {
  const [live] = markedBackends(tables);
  return tables.some(
    ({ backend, table, reading }) =>
      live !== undefined && backend !== live && table === 'nat' && reading.owned.has('KUBE-SERVICES'),
  );
}
