import type { Host } from '../../host/host.ts';

/** How one kind of step is shown, done and taken back. */
export interface StepKind<S> {
  describe(step: S): StepDescription;
  apply(step: S, context: StepContext): Promise<StepOutcome>;
}

export interface StepDescription {
  /** One line: what changes where. */
  readonly title: string;
  /** The command exactly as it will be run; a program's full path may differ from node to node. */
  readonly command: string;
  /** What the command reads from standard input. */
  readonly input: string | undefined;
  /** How many objects on the node it changes; counts towards the cap. */
  readonly changes: number;
  readonly reversible: boolean;
}

export interface StepContext {
  readonly host: Host;
  readonly timeoutMs: number;
  /** Keeps something on disk before it is changed, and says where. Throws a DoctorError when that is not possible. */
  backUp(name: string, text: string): Promise<string>;
}

/**
 * `done`: read back and verified. `moved-on`: the node is not as it was when the plan was made, and
 * nothing was changed. `failed`: `undone` says whether the node is as before.
 */
export type StepOutcome =
  | {
      readonly kind: 'done';
      readonly notes: readonly string[];
      readonly revert: () => Promise<RevertOutcome>;
    }
  | { readonly kind: 'moved-on'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly revert: RevertOutcome };

export interface RevertOutcome {
  readonly complete: boolean;
  /** What was restored, or what could not be, a line each. */
  readonly notes: readonly string[];
}
