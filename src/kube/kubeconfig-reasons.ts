import { errorCode } from './failure-reasons.ts';

/**
 * Why a kubeconfig does not parse. The parser's own message shows the lines around the fault, and
 * these may be a token or a key, so only the line's number and known-harmless wording are passed on.
 */
export function parseReason(error: unknown): string {
  const unreadable = unreadablePath(error);
  if (unreadable !== undefined) return `names a token file that cannot be read: ${unreadable}`;
  if (!(error instanceof Error)) return 'does not parse';
  const line = faultyLine(error);
  if (line !== undefined) return `does not parse: not YAML at line ${line}`;
  const isMissingField = /^(clusters|contexts|users)\[\d+\](\.[a-z]+)* is missing$/.test(error.message);
  return isMissingField ? `does not parse: ${error.message}` : 'does not parse: not a kubeconfig';
}

/** Why TLS cannot be set up with what a kubeconfig gives: a file it names, or a certificate or key. */
export function credentialReason(error: unknown): string {
  const unreadable = unreadablePath(error);
  if (unreadable !== undefined) return `names a file that cannot be read: ${unreadable}`;
  const code = errorCode(error);
  return `its certificates or key cannot be used${code === undefined ? '' : ` (${code})`}`;
}

function unreadablePath(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('path' in error) || typeof error.path !== 'string') return undefined;
  return `${error.path} (${errorCode(error) ?? 'unknown reason'})`;
}

function faultyLine(error: Error): number | undefined {
  if (!('mark' in error) || typeof error.mark !== 'object' || error.mark === null) return undefined;
  if (!('line' in error.mark) || typeof error.mark.line !== 'number') return undefined;
  return error.mark.line + 1;
}
