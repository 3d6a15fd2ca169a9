import { createFactContext, type FactContext } from '../engine/fact.ts';
import { firewallFact } from '../facts/firewall.ts';
import { natClaimsFact } from '../facts/nat-claims.ts';
import { sandboxesFact } from '../facts/sandboxes.ts';
import { endpointSlicesFact } from '../facts/service-endpoints.ts';
import { buildTrace } from '../report/build-trace.ts';
import type { TraceReport } from '../report/trace-schema.ts';
import { renderTrace } from '../report/trace-text.ts';
import { openHost } from './open-host.ts';
import { print } from './print.ts';
import { textOptions } from './print-report.ts';
import { parseTraceOptions, type TraceOptions, type TraceRequest } from './trace-options.ts';
import { tracePacket } from './trace-packet.ts';
import { traceServices } from './trace-services.ts';
import { unknownNetwork } from './unknown-network.ts';
import { version } from './version.ts';

/** Says what would become of a packet, and sends none. Returns the exit code. */
export async function traceCommand(options: TraceOptions): Promise<number> {
  const request = parseTraceOptions(options);
  const { bundle, record, config: configFile, kubeconfig } = options;
  const { host, config, finish } = await openHost({
    ...(bundle !== undefined && { from: bundle }),
    ...(record !== undefined && { record }),
    ...(configFile !== undefined && { config: configFile }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    fromOption: '--bundle',
  });
  const context = createFactContext(host, config);
  const report = await trace(context, request);
  if (record !== undefined) await gatherForOtherPackets(context);
  await finish();
  const text =
    options.format === 'json'
      ? `${JSON.stringify(report, null, 2)}\n`
      : renderTrace(report, textOptions(options, process.stdout));
  await print(text);
  return report.exitCode;
}

async function trace(context: FactContext, request: TraceRequest): Promise<TraceReport> {
  const firewall = await context.get(firewallFact);
  const { reading } = firewall;
  const { packet, told, isOwnDestination, notices } = tracePacket(request, reading.network);
  const { transport } = packet;
  const claimed = await traceServices(
    context,
    {
      family: packet.family,
      protocol: transport.protocol,
      address: packet.destination,
      port: 'destinationPort' in transport ? transport.destinationPort : undefined,
      isOwn: isOwnDestination,
    },
    reading.natFirst[packet.family],
  );
  const walk = firewall.walk(packet);
  return buildTrace({
    version,
    at: context.host.now(),
    packet,
    told,
    walk,
    services: claimed.services,
    statesFrom: claimed.statesFrom,
    notices: [...notices, ...claimed.notices, ...unknownNetwork(reading.network, walk.ends)],
  });
}

/** A recording is worth more if other packets can be traced on it, too. */
async function gatherForOtherPackets({ get }: FactContext): Promise<void> {
  const claims = await get(natClaimsFact);
  if (claims.some((nat) => nat.claims.length > 0)) await get(endpointSlicesFact);
  await get(sandboxesFact);
}
