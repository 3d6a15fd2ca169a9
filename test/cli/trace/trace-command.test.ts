/** The whole command on recorded nodes; nobody has to be root for that. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { traceSchema } from '../../../src/report/trace-schema.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const fixtures = fileURLToPath(new URL('../../../fixtures/', import.meta.url));

function doctor(line: string) {
  const args = line.split(' ').filter((word) => word !== '');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const node = `--bundle ${fixtures}kube-proxy-legacy-then-nft`;
const toWeb = `trace ${node} --from 192.168.60.2 --to 10.43.0.80 --dport 80`;

describe('a recording without links, addresses and routes', () => {
  test('will do with --in and --out, and what is missing is said', () => {
    const { status, stdout, stderr } = doctor(`${toWeb} --in eth0 --out cni0 --format json`);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const trace = traceSchema().parse(JSON.parse(stdout));
    expect(trace).toMatchObject({
      exitCode: 0,
      verdict: 'pass',
      packet: { origin: { link: 'eth0', told: 'given' }, outLink: 'cni0' },
      notices: [
        expect.stringMatching(/^whose nat table is asked first is not known, so both orders were walked/),
        'not known of the node: links, addresses, routes',
        'whether the node forwards is not known: it is supposed to, as k3s needs it',
      ],
    });
    expect(trace.ends.map(({ destination, endpoint }) => `${destination?.to} ${endpoint}`).sort()).toEqual([
      '10.42.0.5:8080 dead',
      '10.42.0.6:8080 dead',
      '10.42.0.9:8080 live',
    ]);
    // Masqueraded to the address of a link that is not known.
    expect(trace.ends.map(({ source }) => source)).toEqual(
      trace.ends.map(() => ({ from: '192.168.60.2', to: null })),
    );
  });

  test('says over which links is not known, where they were not given', () => {
    const { stdout } = doctor(toWeb);

    expect(stdout).toMatch(/^PASS {2}tcp 192\.168\.60\.2 → 10\.43\.0\.80:80, new, in over an unknown link$/m);
    expect(stdout).toContain('Note: over which link it arrives is not known, as the routes are not known;');
    expect(stdout).toContain('Note: over which link it leaves is not known; say it with --out');
  });
});

test('rules that are not in a recording leave it open what becomes of a packet', () => {
  const other = toWeb.replace('kube-proxy-legacy-then-nft', 'kube-proxy-and-kube-router-legacy-then-nft');
  const { status, stdout } = doctor(`${other} --in eth0`);

  expect(status).toBe(2);
  expect(stdout).toMatch(/^UNKNOWN {2}tcp /);
  expect(stdout).toContain('  doubt   native nft tables are not known: there is no nft');
});

test('colours are for terminals', () => {
  expect(doctor(toWeb).stdout).not.toContain('\u001b');
});

test.each([
  ['trace --to 10.0.0.5', /required option '--from <address>' not specified\n\(doctor trace --help/],
  [
    `trace ${node} --from 10.0.0.1 --to fd00::1`,
    /^doctor: --from 10\.0\.0\.1 is IPv4 and --to fd00::1 is IPv6;/,
  ],
  [`${toWeb} --in eth0/1`, /^doctor: --in: expected the name of a link/],
  [`${toWeb} --format yaml`, /'--format <format>' argument 'yaml' is invalid/],
  ['trace --bundle /no/such --from 10.0.0.1 --to 10.0.0.2', /^doctor: \/no\/such/],
  [`${toWeb} --record /tmp/x`, /^doctor: --bundle cannot go with --record;/],
])('%s is bad usage', (line, message) => {
  const { status, stdout, stderr } = doctor(line);
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
  expect(stderr).toMatch(message);
});

test('a configuration that cannot be used is 78', () => {
  expect(doctor(`${toWeb} --config /no/such/file`)).toMatchObject({ status: 78, stdout: '' });
});
