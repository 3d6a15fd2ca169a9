import type { ToolError } from './laboratory.ts';
import type { Rules } from './load-rules.ts';

/** The rules without the lines that nft would not take; undefined where it named none. */
export function withoutRefused(rules: Rules, { message }: ToolError): Rules | undefined {
  if (!message.startsWith('nft ')) return undefined;
  const refused = new Set([...message.matchAll(/\/dev\/stdin:(\d+):/g)].map(([, line]) => Number(line) - 1));
  const native = rules.native.filter((_, index) => !refused.has(index));
  return native.length < rules.native.length ? { ...rules, native } : undefined;
}
