import type { DnsAnswer, DnsQuestion } from './host.ts';

/** Asks one DNS server once. */
export async function askDns(_question: DnsQuestion): Promise<DnsAnswer> {
  return { kind: 'not-asked', reason: 'not built yet' };
}
