/**
 * Run as a program in a pod of CoreDNS, where no CoreDNS can be had: dnsmasq with the same zones, with NodeHosts and
 * with the servers of the first `forward .` of the Corefile. It looks at its files every second, and tells like
 * CoreDNS that it is ready and which configuration it runs. It takes every Corefile.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const folder = '/etc/coredns';
const options = [
  ...['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file=', '--user=root'],
  ...['--no-resolv', '--no-hosts', `--addn-hosts=${folder}/NodeHosts`, '--cache-size=0'],
  ...['--host-record=kubernetes.default.svc.cluster.local,10.43.0.1', '--local=/cluster.local/'],
];

// By this name the kernel knows it.
process.title = 'coredns';

let dnsmasq: ChildProcess | undefined;
let running = '';
process.once('SIGTERM', () => {
  dnsmasq?.kill();
  process.exit();
});
createServer((_request, response) => response.end('OK')).listen(8181);
createServer((_request, response) => {
  const value = createHash('sha512').update(running).digest('hex');
  response.end(
    `coredns_reload_failed_total 0\ncoredns_reload_version_info{hash="sha512",value="${value}"} 1\n`,
  );
}).listen(9153);

for (;;) {
  const wanted = readConfiguration();
  if (wanted !== running) {
    dnsmasq?.kill();
    running = wanted;
    const servers = serversOf(wanted).map((server) => `--server=${server.replace(/:(\d+)$/, '#$1')}`);
    // It ends with us, however that may be.
    const command = ['-c', 'exec setpriv --pdeathsig KILL dnsmasq "$@"', 'sh', ...options, ...servers];
    dnsmasq = spawn('sh', command, { stdio: 'inherit' });
  }
  await delay(1_000);
}

/** The Corefile with the files that it imports in their places. */
function readConfiguration(): string {
  const overrides = readdirSync(`${folder}/custom`).filter((name) => name.endsWith('.override'));
  const texts = overrides.toSorted().map((name) => readFileSync(`${folder}/custom/${name}`, 'utf8'));
  return readFileSync(`${folder}/Corefile`, 'utf8').replace(/^ *import .*\.override$/m, () =>
    texts.join('\n'),
  );
}

function serversOf(configuration: string): readonly string[] {
  const [, upstreams = ''] = /^ *forward \. ([^{\n]+)/m.exec(configuration) ?? [];
  return upstreams
    .trim()
    .split(/ +/)
    .flatMap((each) => (each.startsWith('/') ? nameservers(each) : each));
}

function nameservers(path: string): readonly string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^nameserver (\S+)/gm)].flatMap(
    ([, server]) => server ?? [],
  );
}
