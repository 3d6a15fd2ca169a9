/**
 * facts/: what is known of the node, typed, gathered through the host alone. A fact here may serve
 * several checks; it never judges.
 */
import { DoctorError } from '../doctor-error.ts';
import type { Fact, FactContext } from '../engine/fact.ts';
import { createDumpReadingReader, type DumpReading } from '../netfilter/read-dump.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import { type DumpTaker, takeDump } from './take-dump.ts';

/** `absent`: the kernel or the machine has no such backend, or nothing was ever put into it. */
export type BackendDump =
  | { readonly kind: 'present'; readonly reading: DumpReading }
  | { readonly kind: 'absent'; readonly reason: string };

export type Rulesets = Readonly<Record<Backend, Readonly<Record<Family, BackendDump>>>>;

/** All four dumps, side by side: two backends, two families, all tables, with counters. */
export const rulesetsFact: Fact<Rulesets> = {
  id: 'rulesets',
  async gather(context) {
    const [legacy4, legacy6, nft4, nft6] = await Promise.all([
      readDump(context, 'legacy', 'ipv4'),
      readDump(context, 'legacy', 'ipv6'),
      readDump(context, 'nft', 'ipv4'),
      readDump(context, 'nft', 'ipv6'),
    ]);
    return { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } };
  },
};

async function readDump(context: FactContext, backend: Backend, family: Family): Promise<BackendDump> {
  const dump = await takeDump(context, { backend, family }, lineByLine());
  switch (dump.kind) {
    case 'present':
      return { kind: 'present', reading: dump.value };
    case 'absent':
      return dump;
    case 'failed':
      throw new DoctorError('undetermined', dump.reason, dump.hint === undefined ? {} : { hint: dump.hint });
  }
}

function lineByLine(): DumpTaker<DumpReading> {
  const reader = createDumpReadingReader();
  return {
    run: (host, command) => host.runLines(command, reader.line),
    read() {
      const end = reader.end();
      return end.kind === 'read' ? { kind: 'read', value: end.reading } : end;
    },
    hasTable: ({ tables }, name) => tables.has(name),
  };
}
