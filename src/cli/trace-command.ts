import { createFactContext, type FactContext } from '../engine/fact.ts';
import { firewallFact } from '../facts/firewall.ts';
import { buildTrace } from '../report/build-trace.ts';
import type { TraceReport } from '../report/trace-schema.ts';
import { renderTrace } from '../report/trace-text.ts';
import { openHost } from './open-host.ts';
import { print } from './print.ts';
import { textOptions } from './print-report.ts';
import { parseTraceOptions, type TraceOptions, type TraceRequest } from './trace-options.ts';
import { tracePacket } from './trace-packet.ts';
import { askForAllTargets, traceServices } from './trace-services.ts';
import { supposeForwarding, unknownNetwork } from './unknown-network.ts';
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
  if (record !== undefined) await askForAllTargets(context);
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
  const fate = supposeForwarding(firewall, packet.family).walk(packet);
  return buildTrace({
    version,
    at: context.host.now(),
    packet,
    told,
    walk: fate,
    services: claimed.services,
    states: claimed.states,
    notices: [...notices, ...claimed.notices, ...unknownNetwork(reading.network, packet.family, fate.ends)],
  });
}
