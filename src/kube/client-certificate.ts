import { X509Certificate } from 'node:crypto';
import type { RequestOptions } from 'node:https';

/**
 * Whether a client certificate is outside its time: kubeconfigs that were copied keep the certificate
 * of the day, while k3s renews its own. Said before connecting, because the server would only say 401.
 * `undefined`: it is good, or there is none.
 */
export function describeExpiry(certificate: RequestOptions['cert'], now: Date): string | undefined {
  if (!Buffer.isBuffer(certificate)) return undefined;
  // Of a chain this reads the first, which is the client's own.
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  if (validToDate < now) return `its client certificate expired on ${validToDate.toISOString()}`;
  if (validFromDate > now) {
    return `its client certificate is not valid before ${validFromDate.toISOString()}: is the clock right?`;
  }
  return undefined;
}
