import { expect, it } from 'vitest';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { createFactContext } from '../../src/engine/fact.ts';
import { apiAccessFact } from '../../src/facts/api-access.ts';
import { type MadeUpNode, madeUpNode } from '../engine/confirm/made-up-node.ts';

const listening = (...sockets: readonly string[]) => [
  {
    path: '/proc/net/tcp',
    text: sockets
      .map(
        (socket, index) =>
          `   ${index}: ${socket} 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1 1\n`,
      )
      .join(''),
  },
  { path: '/proc/net/udp', text: '\n' },
];
const everywhere6443 = '00000000:192B';
const loopback6444 = '0100007F:192C';
const kubeconfig = (server: string) =>
  `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority: ca.crt\n    server: ${server}\n  name: local\n`;
const admin = '/etc/rancher/k3s/k3s.yaml';
const kubelet = '/var/lib/rancher/k3s/agent/kubelet.kubeconfig';
const balancer = '/var/lib/rancher/k3s/agent/etc/k3s-agent-load-balancer.json';
const localAddresses = { ipv4: ['192.168.60.1'] };

it('a server serves it at the port of its kubeconfig', async () => {
  const files = [
    ...listening(everywhere6443, loopback6444),
    { path: admin, text: kubeconfig('https://127.0.0.1:6443') },
    { path: kubelet, text: kubeconfig('https://127.0.0.1:6443') },
  ];
  expect(await access({ files, localAddresses })).toEqual({ servedAt: [6443], servers: [] });
});

it('an agent asks the servers behind its own proxy', async () => {
  const files = [
    ...listening(loopback6444),
    { path: kubelet, text: kubeconfig('https://127.0.0.1:6444') },
    {
      path: balancer,
      text: JSON.stringify({
        ServerURL: 'https://k3s.example.com:6443',
        ServerAddresses: ['192.168.60.7:6443', '[fd00:60::7]:6443', '192.168.60.7:6443'],
        Listener: null,
      }),
    },
  ];
  expect(await access({ files, localAddresses })).toEqual({
    servedAt: [],
    servers: [
      { address: '192.168.60.7', port: 6443 },
      { address: 'fd00:60::7', port: 6443 },
    ],
  });
});

it.each([
  ['https://192.168.60.1:6443', { servedAt: [6443], servers: [] }],
  ['"https://192.168.60.9"', { servedAt: [], servers: [{ address: '192.168.60.9', port: 443 }] }],
  ['https://[fd00:60::9]:6443/', { servedAt: [], servers: [{ address: 'fd00:60::9', port: 6443 }] }],
  ['https://lb.example.com:6443', { servedAt: [], servers: [] }],
])('the kubeconfig of the configuration may lead anywhere: %s', async (server, expected) => {
  const files = [...listening(everywhere6443), { path: '/root/kubeconfig', text: kubeconfig(server) }];
  const config = { ...defaultConfig(), kubeconfig: '/root/kubeconfig' };
  expect(await access({ files, localAddresses }, config)).toEqual(expected);
});

it('without a kubeconfig, who listens at 6443 serves it', async () => {
  expect(await access({ files: listening(everywhere6443) })).toEqual({ servedAt: [6443], servers: [] });
  expect(await access({ files: listening(loopback6444) })).toEqual({ servedAt: [], servers: [] });
});

it.each(['', '{', '[]', '{"ServerAddresses":[7]}'])('a torn list of servers is none: %j', async (text) => {
  const files = [
    ...listening(loopback6444),
    { path: kubelet, text: kubeconfig('https://127.0.0.1:6444') },
    { path: balancer, text },
  ];
  expect(await access({ files })).toEqual({ servedAt: [], servers: [] });
});

async function access(made: MadeUpNode, config: Config = defaultConfig()) {
  return createFactContext(await madeUpNode(made), config).get(apiAccessFact);
}
