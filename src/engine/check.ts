/**
 * engine/: what every check, fix and report is made of, and the machinery that runs them.
 *
 * A check is a declaration and two pure functions: `diagnose` turns facts into findings, `plan`
 * turns what it found into steps. Neither can reach the host.
 */
import type { CheckId, Config } from '../config/config.ts';
import type { Fact, FactContext } from './fact.ts';
import type { Finding, Severity } from './finding.ts';
import type { Step } from './step.ts';

export interface Check {
  readonly id: CheckId;
  readonly title: string;
  /** The title when something was found. */
  readonly failureTitle: string;
  readonly severity: Severity;
  /** One sentence: why anybody should care. */
  readonly why: string;
  /**
   * Whether what it repairs is undone by a reboot or by whoever rewrites a table, and is to be done again
   * then: there is no cooldown after a repair that held.
   */
  readonly recurs?: true;
  run(context: FactContext): Promise<Diagnosis>;
}

export interface Diagnosis {
  /** A fact that could not be gathered makes `unknown`, never `ok`. Findings and an unknown part may come together. */
  readonly outcome: 'ok' | 'findings' | 'skipped' | 'unknown';
  /** Why it was skipped, or what could not be determined; each a line for a person. */
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
  /** What could not be asked; the verdict stands without it. */
  readonly limits: readonly string[];
  /** What was looked at and decided on the way, for `-v` and the report. */
  readonly notes: readonly string[];
  /**
   * What `fix` does, in order, to repair the findings that it may repair. Pure. `mayRepair` is asked
   * only about findings whose remedy is `planned`. What can only be repaired together is repaired if
   * all of it may be, else none of it; so not all that may be repaired is among `repairs`.
   */
  readonly plan: (mayRepair: (finding: Finding) => boolean) => Plan;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Those of the diagnosis' findings (the same objects) that the steps repair. */
  readonly repairs: readonly Finding[];
}

/** The plan where nothing can be repaired. */
export function planNothing(): Plan {
  return { steps: [], repairs: [] };
}

/** Where there is nothing to find, or nothing could be looked at. */
export function withoutFindings(
  outcome: 'ok' | 'skipped' | 'unknown',
  reasons: readonly string[],
  notes: readonly string[] = [],
): Diagnosis {
  return { outcome, reasons, findings: [], limits: [], notes, plan: planNothing };
}

type FactMap = Readonly<Record<string, Fact<unknown>>>;
type FactsOf<M extends FactMap> = { readonly [K in keyof M]: M[K] extends Fact<infer T> ? T : never };

export interface CheckDefinition<M extends FactMap> extends Omit<Check, 'run'> {
  readonly facts: M;
  diagnose(facts: FactsOf<M>, config: Config): Diagnosis;
}

/** Makes a check of its declaration: gathers the facts it names, and only those. */
export function defineCheck<M extends FactMap>(definition: CheckDefinition<M>): Check {
  const { facts, diagnose, ...about } = definition;
  return {
    ...about,
    async run(context) {
      const gathered = await gatherAll(facts, context);
      return diagnose(gathered, context.config);
    },
  };
}

async function gatherAll<M extends FactMap>(facts: M, context: FactContext): Promise<FactsOf<M>>;
async function gatherAll(facts: FactMap, context: FactContext): Promise<Readonly<Record<string, unknown>>> {
  const entries = await Promise.all(
    Object.entries(facts).map(async ([name, fact]) => [name, await context.get(fact)] as const),
  );
  return Object.fromEntries(entries);
}
