import { randomInt } from 'node:crypto';
import type { DnsAnswer, DnsQuestion } from './host.ts';

/** The wire format: a library that a run loads only when it asks something. */
export type WireFormat = typeof import('dns-packet');

export interface Query {
  /** Without the length that goes before it on a stream. */
  readonly bytes: Buffer;
  /** The header, and the one question. */
  readonly length: number;
}

type Answered = Extract<DnsAnswer, { kind: 'answered' }>;

/** `other`: not an answer to this question. */
export type Reply =
  | ({ readonly kind: 'answer' } & Pick<Answered, 'code' | 'records' | 'truncated'>)
  | { readonly kind: 'other'; readonly reason: string };

/** `undefined`: no name that could be asked for. */
export function encodeQuery(
  { name, type }: Pick<DnsQuestion, 'name' | 'type'>,
  wire: WireFormat,
): Query | undefined {
  if (!isName(name)) return undefined;
  const id = randomInt(0x1_0000);
  const bytes = wire.encode({
    type: 'query',
    id,
    flags: wire.RECURSION_DESIRED,
    questions: [{ type, name: name === '' ? '.' : name }],
  });
  return { bytes, length: bytes.length };
}

/** Up to 63 characters between dots, 253 in all. What is beyond ASCII would have to be encoded by the caller. */
function isName(name: string): boolean {
  if (name === '') return true;
  return name.length <= 253 && name.split('.').every((label) => /^[\x21-\x7e]{1,63}$/.test(label));
}

const headerLength = 12;
/** Longer than any answer that is of use; a stream may carry 64 KiB. */
const maxRecords = 64;

/**
 * What came back, if it is an answer to what was sent: the same id, the same question. What is behind the
 * answer section is not looked at.
 */
export function readReply(bytes: Buffer, query: Query, wire: WireFormat): Reply {
  if (bytes.length < headerLength) return other(`${bytes.length} bytes, which is no DNS message`);
  if (bytes.readUInt16BE(0) !== query.bytes.readUInt16BE(0)) return other('an answer with another id');
  if ((bytes.readUInt8(2) & 0x80) === 0) return other('a question in place of an answer');
  if (bytes.readUInt16BE(4) !== 1 || question(bytes, query) !== question(query.bytes, query)) {
    return other('an answer to another question');
  }
  const head = decode(bytes, { answers: false }, wire);
  if (head === undefined) return other('an answer that is malformed');
  const whole = decode(bytes, { answers: true }, wire);
  // A server may cut its answer anywhere.
  if (whole === undefined && !head.flag_tc) return other('an answer that is malformed');
  const records = (whole?.answers ?? []).slice(0, maxRecords).flatMap((record) => printData(record));
  return { kind: 'answer', code: codeOf(head), records, truncated: head.flag_tc };
}

function other(reason: string): Reply {
  return { kind: 'other', reason };
}

/** Servers may change a name's case. */
function question(bytes: Buffer, { length }: Query): string {
  return bytes.toString('latin1', headerLength, length).toLowerCase();
}

function decode(bytes: Buffer, { answers }: { readonly answers: boolean }, wire: WireFormat) {
  const part = Buffer.from(bytes);
  part.fill(0, answers ? 8 : 6, headerLength);
  try {
    const packet = wire.decode(part);
    // It reads beyond the end, and makes up what is not there.
    return (wire.decode.bytes ?? 0) <= part.length ? packet : undefined;
  } catch {
    // Whatever the library stumbles over is the packet's fault.
    return undefined;
  }
}

/** The types of the library do not know it. */
function codeOf(packet: object): string {
  return 'rcode' in packet ? String(packet.rcode) : 'NOERROR';
}

function printData(record: object): readonly string[] {
  const data = 'data' in record ? record.data : undefined;
  if (typeof data === 'string') return [printable(data)];
  const isAuthority = typeof data === 'object' && data !== null && 'mname' in data;
  return isAuthority ? [printable(String(data.mname))] : [];
}

/** It comes from outside and ends up on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 255);
}
