import { iptablesGhosts } from '../../../src/checks/iptables-ghosts/check.ts';
import type { Config } from '../../../src/config/config.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { examine } from '../../../src/engine/examine.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { ConntrackDeleteStep, IptablesRemovalStep } from '../../../src/engine/step.ts';
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

export function removalsIn(diagnosis: Diagnosis): readonly IptablesRemovalStep[] {
  return diagnosis.steps.filter((step) => step.kind === 'iptables-removal');
}

export function conntrackIn(diagnosis: Diagnosis): readonly ConntrackDeleteStep[] {
  return diagnosis.steps.filter((step) => step.kind === 'conntrack-delete');
}

/** `legacy ipv4 nat` for each table that the plan writes to. */
export function tablesIn(diagnosis: Diagnosis): readonly string[] {
  return removalsIn(diagnosis).map(({ backend, family, removal }) => `${backend} ${family} ${removal.table}`);
}
