import packet from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeQuery, readReply } from '../../src/host/dns-message.ts';
import { addressRecord, answer } from './dns-server.ts';

const name = 'www.example.org';

function queryFor(type: 'A' | 'AAAA' | 'NS' | 'SOA', asked = name) {
  const query = encodeQuery({ name: asked, type }, packet);
  if (query === undefined) throw new Error('no query');
  return query;
}

test('a query is one question, with recursion desired and nothing else', () => {
  const { bytes } = queryFor('SOA');
  expect(packet.decode(bytes)).toMatchObject({
    type: 'query',
    opcode: 'QUERY',
    flag_rd: true,
    questions: [{ name, type: 'SOA', class: 'IN' }],
    answers: [],
    additionals: [],
  });
  expect(bytes.length).toBe(12 + name.length + 2 + 4);
});

test('a name that is asked for comes back as it was', () => {
  const label = fc.stringMatching(/^[\x21-\x2d\x2f-\x7e]{1,63}$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), (labels) => {
      const asked = labels.join('.');
      const query = queryFor('A', asked);
      expect(packet.decode(query.bytes).questions?.[0]?.name).toBe(asked);
      expect(readReply(answer(query.bytes), query, packet)).toMatchObject({
        kind: 'answer',
        code: 'NOERROR',
      });
    }),
  );
});

test('whatever comes is read without harm, and every record is one', () => {
  const query = queryFor('A');
  const whole = answer(query.bytes, [
    addressRecord(name, '192.0.2.1'),
    { type: 'NS', name, data: 'ns.example' },
  ]);
  const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
  const changed = fc
    .tuple(fc.array(change, { maxLength: 6 }), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([changes, cut, more]) => {
      const bytes = Buffer.from(whole);
      for (const { at, to } of changes) bytes[at] = to;
      return Buffer.concat([bytes.subarray(0, bytes.length - cut), more]);
    });
  const anything = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
  const behindQuestion = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => Buffer.concat([whole.subarray(0, query.length), bytes]));
  fc.assert(
    fc.property(fc.oneof(changed, anything, behindQuestion), (bytes) => {
      const before = Buffer.from(bytes);
      const reply = readReply(bytes, query, packet);
      expect(bytes.equals(before)).toBe(true);
      if (reply.kind === 'other') return;
      for (const record of reply.records) expect(record).toMatch(/^(?!.*undefined)[\x21-\x7e]*$/);
    }),
    { numRuns: 3000 },
  );
});
