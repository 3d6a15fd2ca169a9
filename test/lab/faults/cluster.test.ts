/** The cluster refuses, answers late or not at all, or others change it, while a fix changes it and waits. */
import { expect, it } from 'vitest';
import { type ClusterNode, type ClusterStand, startClusterNode } from './cluster-node.ts';
import { expectDocumented, type FaultRow } from './fault-table.ts';
import type { Rule } from './faulty-api.ts';

interface ClusterFault extends Pick<FaultRow, 'what' | 'where'> {
  readonly rules: readonly Rule[];
  /** Default true. */
  readonly rollsOut?: boolean;
}

/** What a request is answered with in place of its answer; `cut-body` has done what was asked. */
const answers = {
  'refuses (403)': '403',
  'fails (500)': '500',
  'is not ready (503)': '503',
  'says that others were faster, always': 'always-conflict',
  'answers too late': 'silent',
  'prints garbage': 'not-json',
  'closes the connection': 'cut',
  'does it and closes the connection': 'cut-body',
} as const;

type Answer = keyof typeof answers;
const broken: readonly Answer[] = [
  'refuses (403)',
  'fails (500)',
  'answers too late',
  'closes the connection',
];

function at(where: string, rule: Omit<Rule, 'fault'>, ways: readonly Answer[]): readonly ClusterFault[] {
  return ways.map((what) => ({ where, what, rules: [{ ...rule, fault: answers[what] }] }));
}

const configMap = { path: 'configmaps/' } as const;
const deployment = { path: 'deployments/' } as const;
const away = (nth: number, path: string): Rule => ({ path, nth, everAfter: true, fault: 'cut' });

const faults: readonly ClusterFault[] = [
  ...at('look before the first write', { ...configMap, nth: 1 }, broken),
  ...at('first write, a ConfigMap', { ...configMap, method: 'PATCH', nth: 1 }, [
    ...broken,
    'does it and closes the connection',
  ]),
  ...at('first write, a ConfigMap', { ...configMap, method: 'PATCH', nth: 1, everAfter: true }, [
    'says that others were faster, always',
  ]),
  {
    where: 'first write, a ConfigMap',
    what: 'somebody else makes it at that moment',
    rules: [{ ...configMap, method: 'PATCH', nth: 1, others: 'configmaps' }],
  },
  {
    where: 'first write, a ConfigMap',
    what: 'does it, closes the connection and is gone',
    rules: [{ ...configMap, method: 'PATCH', nth: 1, fault: 'cut-body' }, away(4, '')],
  },
  ...at('look after the first write', { ...configMap, method: 'GET', nth: 3 }, ['is not ready (503)']),
  ...at('look before the second write', { ...deployment, nth: 1 }, ['prints garbage']),
  ...at('second write, a Deployment', { ...deployment, method: 'PATCH', nth: 1 }, [
    ...broken,
    'does it and closes the connection',
  ]),
  ...at('second write, a Deployment', { ...deployment, method: 'PATCH', nth: 1, everAfter: true }, [
    'says that others were faster, always',
  ]),
  {
    where: 'second write, a Deployment',
    what: 'somebody else changes it at that moment',
    rules: [{ ...deployment, method: 'PATCH', nth: 1, others: 'deployments' }],
  },
  { where: 'wait', what: 'what was changed does not come about', rules: [], rollsOut: false },
  ...at('wait', { ...deployment, method: 'GET', nth: 4 }, [...broken, 'prints garbage']),
  { where: 'wait', what: 'is gone from then on', rules: [away(9, '')], rollsOut: false },
  {
    where: 'wait, and the way back',
    what: 'does not come about, and nothing may be changed any more',
    rules: [{ method: 'PATCH', nth: 3, everAfter: true, fault: '403' }],
    rollsOut: false,
  },
  {
    where: 'wait, and the way back',
    what: 'does not come about, and somebody else puts a key into the ConfigMap',
    rules: [{ method: 'DELETE', nth: 1, others: 'configmaps' }],
    rollsOut: false,
  },
  ...at('wait, and the way back', { method: 'DELETE', nth: 1 }, ['does it and closes the connection']).map(
    (fault) => ({ ...fault, rollsOut: false }),
  ),
];

function inWords(stand: ClusterStand, rollsOut: boolean): string {
  if (stand === 'after') return rollsOut ? 'repaired' : 'as planned, and not rolled out';
  return stand === 'before' ? 'as before' : 'in part';
}

it('whatever the cluster does, it is as before or repaired, and what is said of it is true', async () => {
  const rows = new Map<number, FaultRow>();
  const problems: string[] = [];
  const queue = [...faults.entries()];
  const work = async () => {
    await using node = await startClusterNode();
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, fault] = next;
      try {
        rows.set(index, await tryFault(node, fault));
      } catch (error) {
        problems.push(`${JSON.stringify(fault)}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all([work(), work()]);
  expect(problems).toEqual([]);
  expectDocumented(
    'cluster',
    faults.flatMap((_, index) => rows.get(index) ?? []),
  );
}, 240_000);

async function tryFault(node: ClusterNode, fault: ClusterFault): Promise<FaultRow> {
  const { what, where, rules, rollsOut = true } = fault;
  await node.renew(rules, rollsOut);
  const { exitCode, report, stderr } = await node.carryOut();
  const stand = await node.stand();
  const isOpen = await node.isOpen();
  const said = JSON.stringify({ exitCode, fix: report?.fix, stderr });
  expect(stderr, said).toBe('');
  expect(report?.fix?.reason ?? 'none', said).toMatch(/\S/);
  expect(stand === 'after' && !isOpen, said).toBe(exitCode === 0);
  if (report?.fix?.rollback === 'complete') expect(stand, said).toBe('before');
  if (report?.fix?.rollback === 'incomplete') expect(isOpen, said).toBe(true);
  expect(await node.hasTheirs()).toBe(rules.some(({ others }) => others === 'configmaps'));
  const row = { what, where, exitCode, node: inWords(stand, rollsOut) };
  if (!isOpen) {
    expect(stand, said).not.toBe('between');
    return { ...row, later: '' };
  }
  await node.goOn([], rollsOut);
  const settled = await node.doctor(['settle']);
  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  const later = await node.stand();
  expect(later, settled.stdout).not.toBe('between');
  return { ...row, later: inWords(later, rollsOut) };
}
