/** What we make of a Corefile, against what the real CoreDNS makes of it. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryCorefile, askedFor, tellingNames } from '../../../coredns/arbitrary-corefile.ts';
import { saidByCoreDns } from '../../../coredns/said-by-coredns.ts';
import { startProcess } from '../../node/start-process.ts';
import { describeWithCoreDns } from '../prepare-coredns.ts';
import type { Asked, Told } from './run-corefiles.ts';

describeWithCoreDns('CoreDNS itself', { timeout: 400_000 }, (coredns) => {
  it('starts with what the fixture says, and with nothing else', async () => {
    const verdicts = saidByCoreDns();
    const told = await run({
      coredns,
      corefiles: verdicts.map(({ corefile, files = {} }) => ({ corefile, files, names: [] })),
    });
    const wrong = verdicts.filter(({ starts }, i) => told[i]?.starts !== starts);
    expect(wrong).toEqual([]);
    expect(told).toHaveLength(verdicts.length);
  });

  it('asks the servers that the made-up Corefiles of the unit tests mean', async () => {
    const made = fc.sample(arbitraryCorefile, 200);
    const told = await run({
      coredns,
      corefiles: made.map(({ text, files }) => ({
        corefile: text,
        files: Object.fromEntries(
          [...files].map(([path, file]) => [path.replace('/etc/coredns/', ''), file]),
        ),
        names: tellingNames,
      })),
    });
    for (const [i, { blocks, text, files }] of made.entries())
      expect({ text, files, servers: told[i]?.servers }).toEqual({
        text,
        files,
        servers: tellingNames.map((name) => askedFor(name, blocks)),
      });
  });
});

const program = fileURLToPath(new URL('./run-corefiles.ts', import.meta.url));

async function run(asked: Asked): Promise<readonly Told[]> {
  const command = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--net', '--pid', '--fork', '--kill-child'];
  const inside = ['sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath, program];
  await using running = startProcess([...command, ...inside], { input: JSON.stringify(asked) });
  const { exitCode, stdout, stderr } = await running.ended;
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly Told[];
}
