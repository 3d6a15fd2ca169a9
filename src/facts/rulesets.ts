/**
 * facts/: what is known of the node, typed, gathered through the host alone. A fact here may serve
 * several checks; it never judges.
 */
import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';
import { createDumpReadingReader, type DumpReading, readDump } from '../netfilter/read-dump.ts';
import type { Backend, Family, Ruleset } from '../netfilter/ruleset.ts';
import { wholeDumpsFact } from './iptables.ts';
import { nfTablesLoadedFact } from './nf-tables.ts';
import { type DumpTaker, type TakenDump, takeDump } from './take-dump.ts';

/** `absent`: the kernel or the machine has no such backend, or nothing was ever put into it. */
export type BackendDump =
  | { readonly kind: 'present'; readonly reading: DumpReading }
  | { readonly kind: 'absent'; readonly reason: string };

export type Rulesets = Readonly<Record<Backend, Readonly<Record<Family, BackendDump>>>>;

/**
 * All four dumps, side by side: two backends, two families, all tables, with counters. Read as they come,
 * and their text is not kept; where another fact keeps it anyway they are not taken twice.
 */
export const rulesetsFact: Fact<Rulesets> = {
  id: 'rulesets',
  async gather(context) {
    // Checks begin together: by then whoever needs the text has asked for it.
    await context.get(nfTablesLoadedFact);
    const whole = await context.ifAsked(wholeDumpsFact);
    const read = async (backend: Backend, family: Family) =>
      dumpOf(
        whole === undefined
          ? await takeDump(context, { backend, family }, lineByLine())
          : readAgain(whole[backend][family]),
      );
    const [legacy4, legacy6, nft4, nft6] = await Promise.all([
      read('legacy', 'ipv4'),
      read('legacy', 'ipv6'),
      read('nft', 'ipv4'),
      read('nft', 'ipv6'),
    ]);
    return { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } };
  },
};

function dumpOf(dump: TakenDump<DumpReading>): BackendDump {
  switch (dump.kind) {
    case 'present':
      return { kind: 'present', reading: dump.value };
    case 'absent':
      return dump;
    case 'failed':
      throw new DoctorError('undetermined', dump.reason, dump.hint === undefined ? {} : { hint: dump.hint });
  }
}

function readAgain(dump: TakenDump<Ruleset>): TakenDump<DumpReading> {
  if (dump.kind !== 'present') return dump;
  const read = readDump(dump.value.text);
  // The same grammar has read it before.
  if (read.kind === 'unparsable') throw new Error(`line ${read.line} of a dump: ${read.reason}`);
  return { kind: 'present', value: read.reading };
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
