import { beforeEach, describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import { type Edits, withLines } from '../../facts/edited-recording.ts';
import { diagnose, hostPortGhost, legacyThenNft } from './diagnose.ts';

const chains = { aaaa1111: 'CNI-DN-ee38aa4d9699bb275365c', bbbb2222: 'CNI-DN-e6d183e69149c00ebfb9e' };

/** A dead sandbox's host port, as portmap writes it. */
function hostPort(id: keyof typeof chains, port: number, more: readonly string[] = []) {
  const chain = chains[id];
  return {
    chains: [chain],
    rules: [
      ...more,
      `-A ${chain} -p tcp -m tcp --dport ${port} -j DNAT --to-destination 10.42.1.9:8080`,
      String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"${id}\"" -m multiport --dports ${port} -j ${chain}`,
    ],
  };
}

const noPods: Edits = { add: { commands: [{ tool: 'crictl', stdout: 'pods.json' }] } };

/** kube-proxy's leftovers in legacy, and two dead sandboxes beside them. */
function haunted(more: readonly string[] = []): Promise<Diagnosis> {
  return diagnose(legacyThenNft, {
    ...noPods,
    texts: {
      'pods.json': () => '{"items":[]}',
      'iptables-legacy-save.txt': (text) =>
        [{ chains: ['CNI-HOSTPORT-DNAT'] }, hostPort('aaaa1111', 81, more), hostPort('bbbb2222', 82)].reduce(
          (dump, lines) => withLines('nat', lines)(dump),
          text,
        ),
    },
  });
}

/** The plan without the findings that a pattern fits: what it writes to, what it takes out of the legacy nat table, and whose connections end. */
function planWithout(diagnosis: Diagnosis, held: RegExp) {
  const { steps, repairs } = diagnosis.plan(({ subject }) => !held.test(subject));
  const batches = steps.flatMap((step) =>
    step.kind === 'iptables-batch' && step.change.kind === 'remove'
      ? [{ place: `${step.backend} ${step.family} ${step.change.removal.table}`, ...step.change }]
      : [],
  );
  const nat = batches.find(({ place }) => place === 'legacy ipv4 nat');
  return {
    repairs,
    places: batches.map(({ place }) => place),
    chains: nat?.removal.chains ?? [],
    lines: nat?.removal.rules.map(({ line }) => line) ?? [],
    targets: new Set(
      steps.flatMap((step) =>
        step.kind === 'conntrack-delete' ? step.flows.map(({ target }) => target) : [],
      ),
    ),
  };
}

const everywhere = ['ipv4', 'ipv6'].flatMap((family) =>
  ['filter', 'mangle', 'nat'].map((table) => `legacy ${family} ${table}`),
);

describe('leftovers of Kubernetes and two dead sandboxes in one table', () => {
  let diagnosis: Diagnosis;
  beforeEach(async () => {
    diagnosis = await haunted();
  });

  test('all go in one transaction when all may be repaired', () => {
    const { places, chains: gone, repairs } = planWithout(diagnosis, /never/);
    expect(places).toEqual(everywhere);
    expect(gone).toEqual(expect.arrayContaining(['KUBE-SERVICES', ...Object.values(chains)]));
    expect(new Set(repairs)).toEqual(new Set(diagnosis.findings));
  });

  test('a Service that may not be repaired keeps all leftovers of its table, and no sandbox', () => {
    const { places, chains: gone, lines, targets, repairs } = planWithout(diagnosis, /10\.43\.0\.80:80/);
    expect(places).toEqual(everywhere);
    expect(gone).toEqual(Object.values(chains));
    expect(lines.every((line) => line.startsWith('-A CNI-HOSTPORT-DNAT '))).toBe(true);
    expect([...targets]).toEqual(['10.42.1.9']);
    const left = diagnosis.findings.filter((finding) => !repairs.includes(finding));
    expect(left.length).toBeGreaterThan(10);
    expect(
      left.filter(({ subject }) => !subject.startsWith('legacy ipv4 nat ') || /sandbox/.test(subject)),
    ).toEqual([]);
  });

  test('a new dead sandbox keeps neither an older one nor the leftovers', () => {
    const { chains: gone, lines, repairs } = planWithout(diagnosis, /bbbb2222/);
    expect(gone).toContain('KUBE-SERVICES');
    expect(gone).toContain(chains.aaaa1111);
    expect(gone).not.toContain(chains.bbbb2222);
    expect(lines.filter((line) => line.includes('bbbb2222'))).toEqual([]);
    expect(diagnosis.findings.filter((finding) => !repairs.includes(finding))).toMatchObject([
      { subject: 'legacy ipv4 nat sandbox bbbb2222 *:82/tcp', remedy: { kind: 'planned' } },
    ]);
  });

  test('connections are ended only for what goes', () => {
    expect([...planWithout(diagnosis, /sandbox/).targets]).not.toContain('10.42.1.9');
    expect([...planWithout(diagnosis, /legacy ipv4 nat scaffolding/).targets]).toEqual(['10.42.1.9']);
    expect([...planWithout(diagnosis, /legacy ipv4 nat/).targets]).toEqual([]);
  });

  test('nothing is done, and nothing repaired, when nothing may be', () => {
    expect(diagnosis.plan(() => false)).toEqual({ steps: [], repairs: [] });
  });

  test('the whole plan repairs just what is called planned', () => {
    const planned = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'planned');
    expect(new Set(diagnosis.plan(() => true).repairs)).toEqual(new Set(planned));
  });
});

describe("a dead sandbox's chain that marks packets by a chain of kube-proxy's", () => {
  const marks = [`-A ${chains.aaaa1111} -s 10.42.1.0/24 -p tcp -m tcp --dport 81 -j KUBE-MARK-MASQ`];

  test('goes together with it', async () => {
    const { chains: gone } = planWithout(await haunted(marks), /never/);
    expect(gone).toEqual(expect.arrayContaining(['KUBE-MARK-MASQ', ...Object.values(chains)]));
  });

  test('keeps it while it stays itself, and the leftovers with it', async () => {
    const diagnosis = await haunted(marks);
    const { chains: gone, repairs } = planWithout(diagnosis, /aaaa1111/);
    expect(gone).toEqual([chains.bbbb2222]);
    expect(repairs.filter(({ subject }) => /legacy ipv4 nat (?!sandbox bbbb2222)/.test(subject))).toEqual([]);
  });

  test('may go before it', async () => {
    const { chains: gone } = planWithout(await haunted(marks), /nat scaffolding/);
    expect(gone).toEqual(Object.values(chains));
  });
});

test('two ports of one dead sandbox go together or not at all', async () => {
  const second = `-A ${chains.aaaa1111} -p udp -m udp --dport 80 -j DNAT --to-destination 10.42.1.2:8080`;
  const texts = { 'legacy-save.txt': withLines('nat', { rules: [second] }) };
  const diagnosis = await diagnose(hostPortGhost, { texts });
  expect(diagnosis.findings.map(({ subject }) => subject).sort()).toEqual([
    'legacy ipv4 nat sandbox aaaa1111 *:80/tcp',
    'legacy ipv4 nat sandbox aaaa1111 *:80/udp',
  ]);
  expect(diagnosis.plan(({ subject }) => subject.endsWith('tcp'))).toEqual({ steps: [], repairs: [] });
  expect(new Set(diagnosis.plan(() => true).repairs)).toEqual(new Set(diagnosis.findings));
});

test("what stands in one sandbox's way stands in no other's", async () => {
  const rule = `-A PREROUTING -d 192.0.2.1/32 -j ${chains.aaaa1111}`;
  const diagnosis = await haunted([rule]);
  const { chains: gone } = planWithout(diagnosis, /never/);
  expect(gone).toContain('KUBE-SERVICES');
  expect(gone).toContain(chains.bbbb2222);
  expect(gone).not.toContain(chains.aaaa1111);
  const stopped = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'none');
  expect(stopped).toMatchObject([
    { subject: expect.stringContaining('aaaa1111'), remedy: { reason: expect.stringContaining(rule) } },
  ]);
});

test('only what can be repaired is asked about', async () => {
  const diagnosis = await haunted([`-A PREROUTING -d 192.0.2.1/32 -j ${chains.aaaa1111}`]);
  const asked = new Set<Finding>();
  diagnosis.plan((finding) => asked.add(finding).size > 0);
  expect(asked).toEqual(new Set(diagnosis.findings.filter(({ remedy }) => remedy.kind === 'planned')));
});

test('a dead sandbox whose chain sends nowhere is found and goes, too', async () => {
  const texts = {
    'legacy-save.txt': (text: string) => text.replace(/^-A CNI-DN-.*\n/gm, ''),
  };
  const diagnosis = await diagnose(hostPortGhost, { texts });
  expect(diagnosis.findings).toMatchObject([
    {
      code: 'ghost-scaffolding',
      subject: 'legacy ipv4 nat sandbox aaaa1111 scaffolding',
      message: 'iptables-legacy nat: 1 chain of sandbox aaaa1111 that nobody maintains',
    },
  ]);
  expect(planWithout(diagnosis, /never/).chains).toEqual([chains.aaaa1111]);
});
