/** Hand-made walks, and reports on them. */
import { Chalk } from 'chalk';
import type { Packet } from '../../src/netfilter/walk/packet.ts';
import type { End, RuleRef, Walk } from '../../src/netfilter/walk/walk.ts';
import { buildTrace, type TraceInput } from '../../src/report/build-trace.ts';
import type { TraceReport, TraceService } from '../../src/report/trace-schema.ts';
import { renderTrace } from '../../src/report/trace-text.ts';

export const overlay: Packet = {
  family: 'ipv4',
  origin: { kind: 'link', name: 'eth0' },
  source: '203.0.113.7',
  destination: '10.0.0.5',
  transport: { protocol: 'udp', destinationPort: 8472 },
  state: 'NEW',
};

export const toService: Packet = {
  ...overlay,
  source: '192.168.60.2',
  destination: '10.43.0.80',
  transport: { protocol: 'tcp', destinationPort: 80 },
};

export function ruleOf(text: string, rest: Partial<RuleRef> = {}): RuleRef {
  const chain = /^-A (\S+)/.exec(text)?.[1] ?? 'INPUT';
  return { backend: 'nft', family: 'ipv4', table: 'filter', chain, number: 1, text, ...rest };
}

export function endOf(end: Partial<End> = {}): End {
  return {
    fate: 'pass',
    way: 'in',
    decidedBy: { kind: 'nothing' },
    path: [],
    packet: overlay,
    destinationTranslated: false,
    sourceTranslated: false,
    assumptions: [],
    ...end,
  };
}

/** Sent to a pod by a nat rule, and forwarded there. */
export function endAt(address: string, port: number, end: Partial<End> = {}): End {
  const packet: Packet = {
    ...toService,
    destination: address,
    transport: { protocol: 'tcp', destinationPort: port },
    outLink: 'cni0',
  };
  return endOf({ way: 'forward', packet, destinationTranslated: true, ...end });
}

export function reportOf(walk: Walk, input: Partial<TraceInput> = {}): TraceReport {
  return buildTrace({
    version: '0.0.0',
    at: new Date('2026-11-21T13:04:05Z'),
    packet: overlay,
    told: 'given',
    walk,
    services: [],
    states: undefined,
    notices: [],
    ...input,
  });
}

export function textOf(report: TraceReport, options: { verbose?: boolean; width?: number } = {}): string {
  return renderTrace(report, { colour: new Chalk({ level: 0 }), width: 80, verbose: false, ...options });
}

export function serviceOf(service: Partial<TraceService> = {}): TraceService {
  return {
    backend: 'nft',
    asked: 'first',
    kind: 'service',
    name: 'default/web:http',
    address: '10.43.0.80',
    port: 80,
    protocol: 'tcp',
    chain: 'KUBE-SVC-CDGGSHYLG3RE2FKL',
    isShadowed: false,
    endpoints: [
      { address: '10.42.0.9', port: 8080, state: 'live' },
      { address: '10.42.0.10', port: 8080, state: 'live' },
    ],
    ...service,
  };
}
