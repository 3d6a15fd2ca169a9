import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Corefile and what CoreDNS 1.12.3 said when it was started with it; files by their name in /etc/coredns. */
export interface Verdict {
  readonly starts: boolean;
  readonly corefile: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly says?: string;
}

const folder = join(import.meta.dirname, '../../fixtures/corefiles');

export function saidByCoreDns(): readonly Verdict[] {
  return JSON.parse(readFileSync(join(folder, 'verdicts.json'), 'utf8')) as readonly Verdict[];
}

export function placed(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(files).map(([name, text]) => [`/etc/coredns/${name}`, text]));
}
