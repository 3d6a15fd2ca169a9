import type { Host } from '../../host/host.ts';
import type { Step } from '../step.ts';

/**
 * How one kind of step is shown, looked at, done, proven and taken back.
 *
 * `B` is what the node was like before the step, as far as it takes to revert and verify it. The
 * engine keeps it on disk before `apply` is called, so that any later process can go on from there.
 * None of these throws for what the node does. Only `apply` changes the node, in one write that
 * happens wholly or not at all when the process is killed in the middle of it.
 */
export interface StepKind<S extends Step, B> {
  describe(step: S): StepDescription;
  /** Whether the change is there already, is needed, or the node is not as the plan supposed. */
  probe(step: S, context: StepContext): Promise<Probe<B>>;
  /** What it returns is the tool's own word, for the report; what counts is `verify`. */
  apply(step: S, before: B, context: StepContext): Promise<Written>;
  /** Reads back. */
  verify(step: S, before: B, context: StepContext): Promise<Verdict>;
  /** The step that takes it back; undefined when there is none. Its `probe` refuses a node that has moved on. */
  revert(step: S, before: B): Step | undefined;
  /** What of `before` is not there now, a line each. For kinds whose write could hurt more than it names. */
  missing?(step: S, before: B, context: StepContext): Promise<readonly string[]>;
  readonly backup: BackupFormat<S, B>;
}

export interface BackupFormat<S extends Step, B> {
  /** File name within the run's folder; the engine puts the step's number before it. */
  name(step: S): string;
  print(before: B): string;
  /** Undefined when the text is damaged. */
  parse(text: string): B | undefined;
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
  /** Changes what packets may pass: armed with the dead man's switch and followed by probes. */
  readonly firewall: boolean;
  /** What it changes is gone after a reboot, as the kernel's rules are. */
  readonly volatile: boolean;
  /** It writes nothing: nothing of it is recorded, or taken back. */
  readonly waits?: true;
}

export interface StepContext {
  readonly host: Host;
  readonly timeoutMs: number;
  /** Asked to stop: who only waits does so at once. Who writes does not heed it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `done`: the change is there already. `moved-on`: the node is not as it was when the plan was made;
 * the reason names what is different. `failed`: it could not be looked at.
 */
export type Probe<B> =
  | { readonly kind: 'done'; readonly notes: readonly string[] }
  | { readonly kind: 'needed'; readonly before: B }
  | { readonly kind: 'moved-on'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type Written = { readonly kind: 'written' } | { readonly kind: 'failed'; readonly reason: string };

/** `unreadable`: whether the change took effect cannot be told. */
export type Verdict =
  | { readonly kind: 'as-planned'; readonly notes: readonly string[] }
  | { readonly kind: 'not-as-planned'; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly reason: string };
