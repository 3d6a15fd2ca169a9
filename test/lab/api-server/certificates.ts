import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bitString,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  truth,
  utf8String,
} from './der.ts';

/** A certificate with its key, both in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certified {
  issue(subject: Subject): Certified;
}

interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  /** Names and addresses that a server answers under. */
  readonly hosts?: readonly string[];
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

/**
 * A certificate authority for one test run, as k3s makes its own: P-256 keys, signed with SHA-256.
 * Node can read X.509 but not write it, and a certificate is small enough to be spelled out.
 */
export function createAuthority(commonName: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = { commonName, key: privateKey };
  const certificate = signCertificate({ commonName }, publicKey, { ...signer, isOwn: true });
  return {
    certificate,
    key: privatePem(privateKey),
    issue(subject) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        certificate: signCertificate(subject, pair.publicKey, { ...signer, isOwn: false }),
        key: privatePem(pair.privateKey),
      };
    },
  };
}

interface Signer {
  readonly commonName: string;
  readonly key: KeyObject;
  /** Whether the certificate is the authority's own. */
  readonly isOwn: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;

function signCertificate(subject: Subject, publicKey: KeyObject, signer: Signer): string {
  const validFrom = subject.validFrom ?? new Date(Date.now() - dayMs);
  const validTo = subject.validTo ?? new Date(Date.now() + 365 * dayMs);
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256(),
    nameOf({ commonName: signer.commonName }),
    sequence(time(validFrom), time(validTo)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(subject, signer.isOwn))),
  );
  const signature = sign('sha256', body, signer.key);
  const certificate = sequence(body, ecdsaWithSha256(), bitString(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

function ecdsaWithSha256(): Buffer {
  return sequence(objectIdentifier('1.2.840.10045.4.3.2'));
}

function nameOf({ commonName, organization }: Pick<Subject, 'commonName' | 'organization'>): Buffer {
  const attribute = (oid: string, text: string) => setOf(sequence(objectIdentifier(oid), utf8String(text)));
  const parts = organization === undefined ? [] : [attribute('2.5.4.10', organization)];
  return sequence(...parts, attribute('2.5.4.3', commonName));
}

function extensions(subject: Subject, isAuthority: boolean): readonly Buffer[] {
  if (isAuthority) {
    const canSign = octetString(sequence(truth()));
    return [sequence(objectIdentifier('2.5.29.19'), truth(), canSign)];
  }
  const purposes = sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'), objectIdentifier('1.3.6.1.5.5.7.3.2'));
  const usage = sequence(objectIdentifier('2.5.29.37'), octetString(purposes));
  if (subject.hosts === undefined) return [usage];
  const alternatives = octetString(sequence(...subject.hosts.map(alternativeName)));
  return [usage, sequence(objectIdentifier('2.5.29.17'), alternatives)];
}

function alternativeName(host: string): Buffer {
  if (isIPv4(host)) return der(0x87, Buffer.from(host.split('.').map(Number)));
  if (host === '::1') return der(0x87, Buffer.from([...Array(15).fill(0), 1]));
  return der(0x82, Buffer.from(host));
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
