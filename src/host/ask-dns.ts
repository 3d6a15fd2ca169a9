import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { openExchange } from './dns-exchange.ts';
import { encodeQuery, type Query, readReply, type WireFormat } from './dns-message.ts';
import type { DnsAnswer, DnsQuestion } from './host.ts';
import { describeNetworkTrouble } from './network-error.ts';
import { systemErrorCode } from './system-error.ts';

/**
 * Asks one DNS server once. Whatever comes that is no answer to this question is passed over, as a
 * resolver would, until the time is up. No search list, no cache, no hosts file.
 */
export async function askDns(question: DnsQuestion): Promise<DnsAnswer> {
  const { server } = question;
  if (isIP(server) === 0) return notAsked(`${server} is no IP address`);
  const device = server.split('%')[1];
  if (device !== undefined && !isDevice(device)) return notAsked(`there is no network device ${device} here`);
  if (device === undefined && /^fe[89ab]/i.test(server)) return notAsked(`${server} names no network device`);
  const { default: wire } = await import('dns-packet');
  const query = encodeQuery(question, wire);
  return query === undefined ? notAsked(`${question.name} is no DNS name`) : converse(question, query, wire);
}

/** By its name or number. With a zone that is unknown the kernel would be left to guess. */
function isDevice(zone: string): boolean {
  return /^\d+$/.test(zone) || networkInterfaces()[zone] !== undefined;
}

/** So many that are no answer: it will not come any more. */
const maxStrangers = 100;

function converse(question: DnsQuestion, query: Query, wire: WireFormat): Promise<DnsAnswer> {
  const { promise, resolve } = Promise.withResolvers<DnsAnswer>();
  const { timeoutMs } = question;
  const startedAt = performance.now();
  let close = () => {};
  let stranger: string | undefined;
  let strangers = 0;
  const settle = (answer: DnsAnswer) => {
    clearTimeout(timer);
    close();
    resolve(answer);
  };
  const timer = setTimeout(
    () => settle(wrongAnswer(stranger) ?? { kind: 'timed-out', timeoutMs }),
    timeoutMs,
  );
  try {
    close = openExchange(question, query.bytes, {
      message(bytes) {
        const reply = readReply(bytes, query, wire);
        if (reply.kind === 'answer') {
          const elapsedMs = Math.round(performance.now() - startedAt);
          settle({ ...reply, kind: 'answered', elapsedMs });
          return;
        }
        stranger ??= reply.reason;
        strangers += 1;
        if (strangers >= maxStrangers) settle({ kind: 'wrong-answer', reason: stranger });
      },
      failed: (error) => settle(wrongAnswer(stranger) ?? describeFailure(error, question)),
      ended: () => settle(wrongAnswer(stranger) ?? closedEarly),
    });
  } catch (error) {
    settle(describeFailure(error, question));
  }
  return promise;
}

const closedEarly = { kind: 'blocked', reason: 'the connection was closed without an answer' } as const;

function wrongAnswer(reason: string | undefined): DnsAnswer | undefined {
  return reason === undefined ? undefined : { kind: 'wrong-answer', reason };
}

function notAsked(reason: string): DnsAnswer {
  return { kind: 'not-asked', reason };
}

function describeFailure(error: unknown, { protocol, server, serverName }: DnsQuestion): DnsAnswer {
  const code = systemErrorCode(error) ?? '';
  if (protocol === 'tls' && isOfTls(code)) {
    const expected = serverName ?? server;
    const what = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `is not for ${expected}` : 'is not trusted';
    const isCertificate = !/^(ERR_SSL|EPROTO)/.test(code);
    const reason = isCertificate ? `its certificate ${what} (${code})` : `it does not speak TLS (${code})`;
    return { kind: 'wrong-answer', reason };
  }
  const trouble = describeNetworkTrouble(error);
  return trouble.kind === 'blocked' ? { kind: 'blocked', reason: trouble.reason } : notAsked(trouble.reason);
}

function isOfTls(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_)|SELF_SIGNED|UNABLE_TO|INVALID_CA|HOSTNAME_MISMATCH/.test(code);
}
