import type { Step } from '../step.ts';
import { command } from './command.ts';
import { configMapKey } from './config-map-key.ts';
import { conntrackDelete } from './conntrack-delete.ts';
import { fileWrite } from './file-write.ts';
import { iptablesBatch } from './iptables-batch.ts';
import { kubePatch } from './kube-patch.ts';
import { linkEntry } from './link-entry.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';
import { ufwRule } from './ufw-rule.ts';
import { wait } from './wait.ts';

/** A step with what is known of its kind. */
export interface BoundStep {
  readonly step: Step;
  readonly about: StepDescription;
  probe(context: StepContext): Promise<Probe<Change>>;
  /** The change as an earlier process kept it; undefined when the backup is damaged. */
  recall(backup: string): Change | undefined;
}

/** A step together with what the node was like before it. */
export interface Change {
  readonly about: StepDescription;
  readonly backup: { readonly name: string; readonly text: string };
  /** The step that takes it back. */
  readonly inverse: Step | undefined;
  apply(context: StepContext): Promise<Written>;
  verify(context: StepContext): Promise<Verdict>;
  /** What of the node as it was before is not there now, a line each. */
  missing(context: StepContext): Promise<readonly string[]>;
}

export function describeStep(step: Step): StepDescription {
  return bindStep(step).about;
}

export function bindStep(step: Step): BoundStep {
  switch (step.kind) {
    case 'iptables-batch':
      return bind(iptablesBatch, step);
    case 'conntrack-delete':
      return bind(conntrackDelete, step);
    case 'file-write':
      return bind(fileWrite, step);
    case 'command':
      return bind(command, step);
    case 'kube-patch':
      return bind(kubePatch, step);
    case 'ufw-rule':
      return bind(ufwRule, step);
    case 'link-entry':
      return bind(linkEntry, step);
    case 'config-map-key':
      return bind(configMapKey, step);
    case 'wait':
      return bind(wait, step);
  }
}

function bind<S extends Step, B>(kind: StepKind<S, B>, step: S): BoundStep {
  const about = kind.describe(step);
  const changeFrom = (before: B): Change => ({
    about,
    backup: { name: kind.backup.name(step), text: kind.backup.print(before) },
    inverse: kind.revert(step, before),
    apply: (context) => kind.apply(step, before, context),
    verify: (context) => kind.verify(step, before, context),
    missing: async (context) => (await kind.missing?.(step, before, context)) ?? [],
  });
  return {
    step,
    about,
    async probe(context) {
      const probed = await kind.probe(step, context);
      return probed.kind === 'needed' ? { kind: 'needed', before: changeFrom(probed.before) } : probed;
    },
    recall(backup) {
      const before = kind.backup.parse(backup);
      return before === undefined ? undefined : changeFrom(before);
    },
  };
}
