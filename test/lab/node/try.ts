import { startNode } from './start-node.ts';

const t0 = performance.now();
const lap = (s: string) => console.log(String(Math.round(performance.now() - t0)).padStart(6), s);
await using node = await startNode();
lap('node');
const web = await node.addPod({
  name: 'web',
  address: '10.42.0.9',
  address6: 'fd00:42::9',
  tcp: [8080],
  udp: [5353],
});
lap('pod');
const client = await node.addClient();
lap('client');
for (const b of ['legacy', 'nft'] as const) {
  await node.cni(b, 'ADD', {
    pod: web,
    hostPorts: [
      { hostPort: b === 'nft' ? 80 : 81, containerPort: 8080 },
      { hostPort: b === 'nft' ? 53 : 54, containerPort: 5353, protocol: 'udp' },
    ],
  });
  lap('cni' + b);
}
console.log(await client.http(node.address, 80));
lap('http');
console.log(
  await client.http(node.address, 81),
  await node.http(node.address, 80),
  await node.http(node.address, 81),
  await node.http('127.0.0.1', 81),
);
console.log(
  await client.http(node.address6, 80),
  await node.http(node.address6, 81),
  await client.udp(node.address6, 53),
  await client.udp(node.address, 54, { localPort: 4444 }),
  await client.udp(node.address, 55),
  await client.http('10.43.0.1', 1),
  await node.http('10.43.0.1', 80, { timeoutMs: 5000 }),
);
lap('traffic');
console.log(await web.http(node.address, 80), await web.http('10.42.0.44', 80, { timeoutMs: 4000 }));
lap('hairpin');
await node.snapshot();
lap('snap');
const k = await node.fakeProcess('k3s', ['server', '--kube-proxy-arg=proxy-mode=nftables']);
lap('k3s');
console.log(
  JSON.stringify(
    await node.run([
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do echo "$(cat $p/comm): $(tr "\\0" " " <$p/cmdline | cut -c1-70) $(readlink $p/exe)"; done',
    ]),
  ),
);
await k.stop('SIGTERM').then(console.log);
lap('stopped');
console.log(await node.exec([await node.fakeCrictl([web]), 'pods', '-o', 'json']));
lap('crictl');
console.log(await node.exec(['sh', '-c', 'kill -9 $$']), await node.exec(['nope']));
await node.exec(['sleep', '5'], { timeoutMs: 50 }).catch((e) => console.log(e.message));
lap('timeout');
await web.stop();
lap('pod stopped');
console.log(
  await client.http(node.address, 80),
  await node.run(['ip', 'netns']),
  await node.run(['ps', '-eo', 'pid,ppid,stat,comm']),
);
const again = await node.addPod({ name: 'web2', address: '10.42.0.9', address6: 'fd00:42::9', tcp: [8080] });
lap('pod again');
console.log(
  await client.http(node.address, 80),
  await client.http(node.address6, 80),
  await node.http('10.42.0.9', 8080),
);
lap('http again');
