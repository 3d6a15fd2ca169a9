import { Chalk } from 'chalk';
import { iptablesGhosts } from '../../src/checks/iptables-ghosts/check.ts';
import { loadChecks } from '../../src/checks/registry.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { type Diagnosis, planNothing } from '../../src/engine/check.ts';
import type { Examination } from '../../src/engine/examine.ts';
import { examine } from '../../src/engine/examine.ts';
import { createFactContext } from '../../src/engine/fact.ts';
import type { Finding } from '../../src/engine/finding.ts';
import { buildReport, type ReportInput } from '../../src/report/build-report.ts';
import type { Report } from '../../src/report/report-schema.ts';
import type { TextOptions } from '../../src/report/text.ts';
import { editedRecording } from '../facts/edited-recording.ts';

export const plain: TextOptions = { colour: new Chalk({ level: 0 }), width: 80, verbose: false };

export const ghost: Finding = {
  code: 'ghost-service',
  subject: 'legacy ipv4 nat 10.43.0.80:80/tcp default/web:http',
  severity: 'error',
  effect: 'masks',
  message: '10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy) · live: 10.42.0.9:8080 (nft)',
  evidence: [
    { source: 'legacy nat', observed: 'KUBE-SVC-CDGGSHYLG3RE2FKL claims it' },
    { source: 'effect', observed: 'masks the live rule now' },
  ],
  remedy: { kind: 'planned' },
};

export const refused: Finding = {
  ...ghost,
  remedy: { kind: 'none', reason: 'a rule of somebody else refers to it' },
};
export const harmless: Finding = { ...ghost, severity: 'warning', effect: 'idle' };

/** What the one check says, healthy where nothing else is given. */
export function examinationOf(diagnosis: Partial<Diagnosis>): Examination {
  return {
    check: iptablesGhosts,
    diagnosis: {
      outcome: 'ok',
      reasons: [],
      findings: [],
      limits: [],
      notes: [],
      plan: planNothing,
      ...diagnosis,
    },
  };
}

export function reportOn(examinations: readonly Examination[], input: Partial<ReportInput> = {}): Report {
  return buildReport({
    version: '1.2.3',
    run: {
      id: '20261120T183456000Z-1',
      verb: input.fix ? 'fix' : 'check',
      startedAt: '2026-11-20T18:34:56.000Z',
      finishedAt: '2026-11-20T18:34:57.000Z',
    },
    failOn: 'error',
    ...input,
    examinations,
  });
}

/** The report on a recorded host. */
export async function recordedReport(fixture: string, input: Partial<ReportInput> = {}): Promise<Report> {
  const host = await editedRecording(fixture);
  const examinations = await examine(await loadChecks(), createFactContext(host, defaultConfig()));
  const steps = input.fix ? examinations.flatMap(({ diagnosis }) => diagnosis.plan(() => true).steps) : [];
  return reportOn(examinations, { steps, ...input });
}
