import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { traceSchemaFile, traceSchemaText } from '../../scripts/write-schema.ts';
import type { End, Walk } from '../../src/netfilter/walk/walk.ts';
import { type TraceReport, traceSchema } from '../../src/report/trace-schema.ts';
import { endAt, endOf, overlay, reportOf, ruleOf, serviceOf, toService } from './trace-example.ts';

/** What a reader of the JSON has: nothing in it that the schema does not know. */
function expectValid(report: TraceReport): void {
  const json: unknown = JSON.parse(JSON.stringify(report));
  expect(traceSchema().parse(json)).toEqual(json);
}

const rule = ruleOf('-A INPUT -j DROP');
const decisions: readonly End['decidedBy'][] = [
  { kind: 'nothing' },
  { kind: 'kernel', reason: 'no route' },
  { kind: 'policy', chain: { backend: 'legacy', family: 'ipv4', table: 'filter', chain: 'INPUT' } },
  { kind: 'rule', rule },
  { kind: 'rule', rule, rejectWith: 'tcp-reset' },
];

test('a report on every kind of decision, packet and service fits the schema', () => {
  for (const decidedBy of decisions) {
    const assumptions = [{ kind: 'chance', reason: 'limit', rule }] as const;
    const path = [
      { hook: 'input', rule, action: 'drop' },
      { rule, action: 'drop' },
    ] as const;
    const ends = [
      endOf({ decidedBy, assumptions, path }),
      endAt('10.42.0.9', 80, { sourceTranslated: true }),
    ];
    const services = [serviceOf(), serviceOf({ address: null, name: null, kind: 'host-port' })];
    expectValid(
      reportOf(
        { verdict: 'depends', ends },
        { services, states: { from: 'x', missing: 'z' }, notices: ['y'] },
      ),
    );
  }
  for (const transport of [
    { protocol: 'tcp', sourcePort: 1, destinationPort: 2, flags: ['SYN'] },
    { protocol: 'sctp' },
    { protocol: 'icmp', type: 8, code: 0 },
    { protocol: 'ah', spi: 5 },
    { protocol: 'other', number: 47 },
  ] as const) {
    const packet = { ...overlay, transport, outLink: 'eth1', mark: 1, origin: { kind: 'process' } } as const;
    expectValid(reportOf({ verdict: 'drop', ends: [endOf({ fate: 'drop' })] }, { packet }));
  }
});

test.each([
  ['pass', 0],
  ['drop', 1],
  ['reject', 1],
  ['depends', 1],
  ['unknown', 2],
] as const)('a verdict of %s ends with %i', (verdict: Walk['verdict'], exitCode) => {
  expect(reportOf({ verdict, ends: [endOf()] })).toMatchObject({ verdict, exitCode });
});

test('what was translated is there from and to, and what was not is left out', () => {
  const [end] = reportOf(
    { verdict: 'pass', ends: [endAt('10.42.0.9', 8080)] },
    { packet: toService, services: [serviceOf()] },
  ).ends;
  expect(end).toMatchObject({
    destination: { from: '10.43.0.80:80', to: '10.42.0.9:8080' },
    endpoint: 'live',
    outLink: 'cni0',
  });
  expect(end).not.toHaveProperty('source');
});

test('an endpoint that one backend cannot judge is what the other one says of it', () => {
  const endpoint = { address: '10.42.0.9', port: 8080 };
  const services = [
    serviceOf({ endpoints: [{ ...endpoint, state: 'unknown' }] }),
    serviceOf({ endpoints: [{ ...endpoint, state: 'dead' }] }),
  ];
  const { ends } = reportOf(
    { verdict: 'pass', ends: [endAt('10.42.0.9', 8080)] },
    { packet: toService, services },
  );
  expect(ends[0]?.endpoint).toBe('dead');
});

test('the state is that of the endpoint with the same port', () => {
  const services = [
    serviceOf({
      endpoints: [
        { address: '10.42.0.9', port: 9090, state: 'dead' },
        { address: '10.42.0.9', port: 8080, state: 'live' },
      ],
    }),
  ];
  const { ends } = reportOf(
    { verdict: 'pass', ends: [endAt('10.42.0.9', 8080)] },
    { packet: toService, services },
  );
  expect(ends[0]?.endpoint).toBe('live');
});

test('a source that is translated to itself has not changed; that of an unknown link may have', () => {
  const masquerade = (action: string) =>
    endAt('10.42.0.9', 8080, { sourceTranslated: true, path: [{ rule, action }] });
  const ends = [masquerade('from 192.168.60.2'), masquerade('from the address of its link out')];
  const [known, unknown] = reportOf({ verdict: 'pass', ends }, { packet: toService }).ends;
  expect(known).not.toHaveProperty('source');
  expect(unknown?.source).toEqual({ from: '192.168.60.2', to: null });
});

test('a report of another shape does not fit', () => {
  const report = reportOf({ verdict: 'pass', ends: [endOf()] });
  for (const wrong of [{ schemaVersion: 2 }, { verdict: 'perhaps' }, { ends: undefined }, { packet: {} }])
    expect(traceSchema().safeParse({ ...report, ...wrong }).success).toBe(false);
});

test('the published schema is the one that reports are built by: node scripts/write-schema.ts writes it', () => {
  expect(readFileSync(traceSchemaFile, 'utf8')).toBe(traceSchemaText());
  expect(JSON.parse(traceSchemaText())).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(traceSchema()))));
});
