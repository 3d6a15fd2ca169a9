import { iptablesGhosts } from '../../../src/checks/iptables-ghosts/check.ts';
import type { Config } from '../../../src/config/config.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { examine } from '../../../src/engine/examine.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { ConntrackDeleteStep, IptablesBatchStep, Step } from '../../../src/engine/step.ts';
import type { Removal } from '../../../src/netfilter/removal.ts';
import { type Edits, editedRecording } from '../../facts/edited-recording.ts';

export const legacyThenNft = 'kube-proxy-legacy-then-nft';
export const hostPortGhost = 'hostport-ghost-legacy-first/2-ghost';

/** What the check says of a recorded host, as it is or edited. */
export async function diagnose(
  fixture: string,
  edits: Edits = {},
  config: Config = defaultConfig(),
): Promise<Diagnosis> {
  const host = await editedRecording(fixture, edits);
  const [examination] = await examine([iptablesGhosts], createFactContext(host, config));
  if (examination === undefined) throw new Error('nothing was examined');
  return examination.diagnosis;
}

export function findingAt(diagnosis: Diagnosis, start: string): Finding {
  const finding = diagnosis.findings.find(({ message }) => message.startsWith(start));
  if (finding === undefined) throw new Error(`nothing was found that begins with ${start}`);
  return finding;
}

/** The steps of the plan that repairs all that can be repaired. */
export function stepsOf(diagnosis: Diagnosis): readonly Step[] {
  return diagnosis.plan(() => true).steps;
}

/** A step that takes something out of a table, and what. */
export interface PlannedRemoval extends IptablesBatchStep {
  readonly removal: Removal;
}

export function removalsIn(diagnosis: Diagnosis): readonly PlannedRemoval[] {
  return stepsOf(diagnosis).flatMap((step) =>
    step.kind === 'iptables-batch' && step.change.kind === 'remove'
      ? [{ ...step, removal: step.change.removal }]
      : [],
  );
}

export function conntrackIn(diagnosis: Diagnosis): readonly ConntrackDeleteStep[] {
  return stepsOf(diagnosis).filter((step) => step.kind === 'conntrack-delete');
}

/** `legacy ipv4 nat` for each table that the plan writes to. */
export function tablesIn(diagnosis: Diagnosis): readonly string[] {
  return removalsIn(diagnosis).map(({ backend, family, removal }) => `${backend} ${family} ${removal.table}`);
}

/** Every chain and every line that the plan takes out. */
export function namedIn(diagnosis: Diagnosis): readonly string[] {
  return removalsIn(diagnosis).flatMap(({ removal }) => [
    ...removal.chains,
    ...removal.rules.map(({ line }) => line),
  ]);
}
