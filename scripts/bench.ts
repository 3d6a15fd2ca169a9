/**
 * Time and memory of the product beside the commands it is made of, in one run, in a network
 * namespace of its own. `npm run bench [services...]`; the table is for reading, ratios count.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kubeProxyRuleset } from './bench/kube-proxy-ruleset.ts';
import { timeWalks, type WalkTimes } from './bench/walk-flows.ts';

const doctor = resolve(import.meta.dirname, '../dist/doctor.js');
const stage = process.env['K3S_DOCTOR_BENCH'];
if (stage === 'inside') bench(process.argv.slice(2).map(Number));
else if (stage === 'walks') console.log(JSON.stringify(timeWalks(Number(process.argv[2]))));
else enter(process.argv.slice(2));

/** Runs this file again in namespaces of its own; they go when it ends. */
function enter(sizes: readonly string[]): void {
  const unshare = [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ];
  const { status } = spawnSync('unshare', [...unshare, process.execPath, import.meta.filename, ...sizes], {
    stdio: 'inherit',
    env: { ...process.env, K3S_DOCTOR_BENCH: 'inside' },
  });
  process.exitCode = status ?? 1;
}

function bench(given: readonly number[]): void {
  run(['mount', '-t', 'tmpfs', 'tmpfs', '/run']);
  const folder = mkdtempSync(join(tmpdir(), 'k3s-doctor-bench-'));
  try {
    mkdirSync(join(folder, 'etc'), { mode: 0o700 });
    const config = join(folder, 'etc/config.yaml');
    writeFileSync(
      config,
      `paths: {state: ${folder}/state, run: ${folder}/run}\nguards: {maxChanges: 1000000}\ncommandTimeoutMs: 120000\n`,
    );
    console.log(
      `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node ${process.version}; medians of 3 (1 above 5,000)\n`,
    );
    console.log(
      row([
        'services',
        'rules',
        'a: saves',
        'b: save|grep|restore',
        'c: 300 × -F',
        'd: check',
        'e: fix',
        'd/a',
        'e/b',
        'memory d',
        'memory e',
      ]),
    );
    const sizes = given.length > 0 ? given : [100, 1000, 5000, 20000];
    for (const services of sizes) measure(services, { folder, config });
    console.log(`\nthe packet walk, both backends, in one process that has just started\n`);
    console.log(row(['services', 'rules', 'p: parse', 'q: 480 walks to ports', 'r: to VIPs', 'q/p', 'r/p']));
    for (const services of sizes) measureWalks(services);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  readonly config: string;
}

function measure(services: number, { folder, config }: Place): void {
  const runs = services > 5000 ? 1 : 3;
  const ghosts = join(folder, 'ghosts');
  const live = join(folder, 'live');
  writeFileSync(ghosts, kubeProxyRuleset(services, services * 3));
  writeFileSync(live, `*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n${kubeProxyRuleset(services, 0)}`);
  run(['iptables-nft-restore', live]);
  const haunt = () => run(['iptables-legacy-restore', ghosts]);
  haunt();
  const a = median(runs, () =>
    shell('iptables-legacy-save -c; iptables-nft-save -c; ip6tables-legacy-save -c; ip6tables-nft-save -c'),
  );
  const d = median(runs, () => doctorRun(['check', 'iptables-ghosts', '--config', config], [1]));
  const c = loop(services);
  const b = median(
    runs,
    () => shell("iptables-legacy-save | grep -v 'KUBE-SEP\\|KUBE-SVC' | iptables-legacy-restore"),
    haunt,
  );
  const e = median(
    runs,
    () => doctorRun(['fix', 'iptables-ghosts', '--yes', '--config', config], [0]),
    haunt,
  );
  console.log(
    row([
      String(services),
      String(services * 11 + 8),
      ...[a, b, c, d, e].map(({ seconds }) => `${seconds.toFixed(2)} s`),
      (d.seconds / a.seconds).toFixed(2),
      (e.seconds / b.seconds).toFixed(2),
      `${d.megabytes} MB`,
      `${e.megabytes} MB`,
    ]),
  );
}

/** A process for each size, so that none finds the code of another one compiled. */
function measureWalks(services: number): void {
  const { stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, String(services)], {
    encoding: 'utf8',
    env: { ...process.env, K3S_DOCTOR_BENCH: 'walks' },
  });
  if (stdout === '') throw new Error(stderr);
  const times: WalkTimes = JSON.parse(stdout);
  const { parseSeconds, peersSeconds, servicesSeconds } = times;
  console.log(
    row([
      String(services),
      String(services * 11 + 8),
      ...[parseSeconds, peersSeconds, servicesSeconds].map((seconds) => `${seconds.toFixed(2)} s`),
      (peersSeconds / parseSeconds).toFixed(2),
      (servicesSeconds / parseSeconds).toFixed(2),
    ]),
  );
}

interface Measured {
  readonly seconds: number;
  readonly megabytes: number;
}

/** The home-made cure; above 1,000 services a tenth of it is run and multiplied, or it would take minutes. */
function loop(services: number): Measured {
  const times = services > 1000 ? 30 : 300;
  const one = timed(() =>
    shell(
      `for c in $(iptables-legacy-save -t nat | grep -o '^:KUBE-SEP-[A-Z0-9]*' | head -${times} | cut -c2-); do iptables-legacy -t nat -F $c; done`,
    ),
  );
  return { ...one, seconds: (one.seconds * 300) / times };
}

function median(runs: number, measured: () => Measured, before: () => void = () => undefined): Measured {
  const all = Array.from({ length: runs }, () => {
    before();
    return measured();
  }).sort((x, y) => x.seconds - y.seconds);
  return all[Math.floor(runs / 2)] ?? { seconds: Number.NaN, megabytes: Number.NaN };
}

function shell(script: string): Measured {
  return timed(() => run(['sh', '-c', `{ ${script}; } >/dev/null`]));
}

function timed(work: () => unknown): Measured {
  const start = performance.now();
  work();
  return { seconds: (performance.now() - start) / 1000, megabytes: 0 };
}

/** A doctor's run; it tells its own peak memory on its way out. */
function doctorRun(args: readonly string[], expected: readonly number[]): Measured {
  const tell = 'process.on("exit",()=>process.stderr.write("\\npeak "+process.resourceUsage().maxRSS+"\\n"))';
  const importTell = `--import data:text/javascript,${encodeURIComponent(tell)}`;
  const start = performance.now();
  const { status, stderr } = spawnSync(doctor, [...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, NODE_OPTIONS: importTell },
  });
  const seconds = (performance.now() - start) / 1000;
  if (!expected.includes(status ?? -1))
    throw new Error(`doctor ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { seconds, megabytes: Math.round(Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024) };
}

function run([program = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart([8, 7, 9, 21, 11, 9, 9, 5, 5, 9, 9][i] ?? 9)).join(' ');
}
