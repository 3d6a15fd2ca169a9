import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { hostNamesFact } from '../../../src/facts/dns/host-names.ts';
import { presenceFact } from '../../../src/facts/dns/presence.ts';
import type { CommandResult } from '../../../src/host/host.ts';
import { type Has, hostOf } from './host-of.ts';

const registries = '/etc/rancher/k3s/registries.yaml';
const config = '/etc/rancher/k3s/config.yaml';

async function gather(has: Has, presence: unknown = { kind: 'present' }) {
  const { context, asked } = hostOf({ ...has, facts: { [presenceFact.id]: presence } });
  return { ...(await context.get(hostNamesFact)), asked };
}

async function namesOf(files: Readonly<Record<string, string>>, folders: Has['folders'] = {}) {
  const { names } = await gather({ files, folders });
  return names.map(({ kind, name }) => `${kind} ${name}`);
}

test('nothing is asked on a node that has nothing to do with a cluster', async () => {
  const found = await gather(
    { files: { [config]: 'server: https://k3s.example.org:6443\n' } },
    { kind: 'absent', reason: '' },
  );
  expect(found).toEqual({ names: [], doubts: [], notes: [], asked: [] });
});

test('by default images come from Docker’s registry', async () => {
  expect(await namesOf({})).toEqual(['registry registry-1.docker.io']);
});

test('the API: by configuration, drop-in, and what an agent was told at its installation', async () => {
  const docker = 'registry registry-1.docker.io';
  expect(await namesOf({ [config]: 'token: secret\nserver: https://k3s.example.org:6443\n' })).toEqual([
    'api k3s.example.org',
    docker,
  ]);
  const dropIn = `${config}.d/10-server.yaml`;
  expect(
    await namesOf(
      {
        [dropIn]: 'server: "https://late.example.org:6443"\n',
        [config]: 'server: https://early.example.org:6443\n',
      },
      { [`${config}.d`]: ['10-server.yaml'] },
    ),
  ).toEqual(['api late.example.org', docker]);
  expect(
    await namesOf({
      '/etc/systemd/system/k3s-agent.service.env':
        "K3S_TOKEN='secret'\nK3S_URL='https://env.example.org:6443'\n",
    }),
  ).toEqual(['api env.example.org', docker]);
});

test.each([
  'https://203.0.113.10:6443',
  'https://[2001:db8::1]:6443',
  'https://localhost:6443',
  'https://-oProxy=x',
  '',
])('what is no name is not looked up: %s', async (server) => {
  expect(await namesOf({ [config]: `server: "${server}"\n` })).toEqual(['registry registry-1.docker.io']);
});

test.each([
  [
    'a mirror in its place',
    'mirrors:\n  docker.io:\n    endpoint: ["https://mirror.example.org/v2", "http://user:pw@other.example.org:5000"]\n',
    ['mirror.example.org', 'other.example.org'],
  ],
  [
    'a mirror of everything',
    'mirrors:\n  "*":\n    endpoint:\n      - https://all.example.org\n',
    ['all.example.org'],
  ],
  [
    'a mirror of another registry',
    'mirrors:\n  quay.io:\n    endpoint:\n      - quay.example.org:5000\n',
    ['quay.example.org', 'registry-1.docker.io'],
  ],
  [
    'images that nodes share',
    'mirrors:\n  docker.io:\n  registry.example.org:\n  "*":\n',
    ['registry-1.docker.io', 'registry.example.org'],
  ],
  [
    'credentials alone',
    'configs:\n  registry.example.org:\n    auth: {username: u, password: p}\n',
    ['registry-1.docker.io'],
  ],
  ['an address', 'mirrors: {docker.io: {endpoint: ["https://192.0.2.7:5000"]}}\n', []],
  ['nothing', '', ['registry-1.docker.io']],
])('registries.yaml with %s', async (_, text, expected) => {
  const found = await namesOf({ [registries]: text });
  expect(found).toEqual(expected.map((name) => `registry ${name}`));
});

test('a registry of the operator’s own for what k3s brings', async () => {
  const own = { [config]: 'system-default-registry: registry.example.org:5000\n' };
  expect(await namesOf(own)).toEqual(['registry registry.example.org']);
  const mirror = 'mirrors:\n  registry.example.org:\n    endpoint: ["https://near.example.org"]\n';
  expect(await namesOf({ ...own, [registries]: mirror })).toEqual(['registry near.example.org']);
});

test('a node whose images are there already needs no registry but those that were named', async () => {
  const folders = { '/var/lib/rancher/k3s/agent/images': ['k3s-airgap-images-amd64.tar.zst'] };
  const { names, notes } = await gather({ folders });
  expect(names).toEqual([]);
  expect(notes).toEqual([
    'images are on this node (/var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst): registry-1.docker.io is not asked for',
  ]);
  const text = 'mirrors:\n  docker.io:\n    endpoint: ["https://mirror.example.org"]\n';
  expect(await namesOf({ [registries]: text }, folders)).toEqual(['registry mirror.example.org']);
  // k3s keeps a list of its own there, which is no image.
  expect(await namesOf({}, { '/var/lib/rancher/k3s/agent/images': ['.cache.json'] })).toEqual([
    'registry registry-1.docker.io',
  ]);
});

test.each([
  ['no YAML', 'mirrors: [\n', 'is not valid YAML'],
  ['YAML of another kind', 'mirrors: many\n', 'cannot be understood'],
  [
    'an endpoint that is no list',
    'mirrors:\n  docker.io:\n    endpoint: https://mirror.example.org\n',
    'cannot be understood',
  ],
  [
    'aliases that blow up',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nmirrors: [*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    'cannot be understood',
  ],
])('registries.yaml with %s is a doubt, and no secret is told', async (_, text, words) => {
  const { doubts } = await gather({ files: { [registries]: `${text}# password: hunter2\n` } });
  expect(doubts).toEqual([expect.stringContaining(words)]);
  expect(doubts.join()).not.toContain('hunter2');
});

test('a configuration of k3s that cannot be understood is a doubt', async () => {
  const alias = (of: string) => Array.from({ length: 10 }, () => of).join(',');
  const text = `a: &a [${alias('x')}]\nb: &b [${alias('*a')}]\nc: &c [${alias('*b')}]\nserver: [${alias('*c')}]\n`;
  const { names, doubts } = await gather({ files: { [config]: text } });
  expect(names.map(({ name }) => name)).toEqual(['registry-1.docker.io']);
  expect(doubts).toEqual([expect.stringContaining(config)]);
});

test('names of the configuration, each once', async () => {
  const given = defaultConfig();
  const checks = {
    ...given.checks,
    'host-dns': { mode: 'report' as const, names: ['registry-1.docker.io', 'git.example.org.'] },
  };
  const { names } = await gather({ config: { ...given, checks } });
  expect(names.map(({ name }) => name)).toEqual(['registry-1.docker.io', 'git.example.org']);
});

const docker = 'getent ahosts registry-1.docker.io';
const exited = (exitCode: number, stdout = ''): CommandResult => ({
  kind: 'exited',
  exitCode,
  stdout,
  stderr: '',
});

test.each([
  [
    'addresses',
    exited(0, '192.0.2.7     STREAM registry-1.docker.io\n192.0.2.7     DGRAM  \n2001:db8::7     STREAM \n'),
    { kind: 'resolved', addresses: ['192.0.2.7', '2001:db8::7'] },
  ],
  ['no such name', exited(2), { kind: 'unresolved', reason: 'no such name, or no server answers' }],
  [
    'silence',
    { kind: 'timeout', timeoutMs: 5_000 } as const,
    { kind: 'unresolved', reason: 'no answer in 5 s' },
  ],
  ['no address', exited(0), { kind: 'unresolved', reason: 'it has no address' }],
  [
    'no getent',
    { kind: 'absent', looked: [] } as const,
    { kind: 'not-asked', reason: 'there is no program getent on this machine' },
  ],
  ['a getent that does not know it', exited(1), { kind: 'not-asked', reason: 'getent ended with 1' }],
])('what getent says: %s', async (_, result, answer) => {
  const { names, asked } = await gather({ commands: { [docker]: result } });
  expect(names).toMatchObject([{ name: 'registry-1.docker.io', answer }]);
  expect(asked).toEqual([docker]);
});

test('many names are too many', async () => {
  const endpoints = Array.from({ length: 500 }, (_, index) => `https://m${index}.example.org`);
  const { names, notes } = await gather({
    files: { [registries]: JSON.stringify({ mirrors: { 'docker.io': { endpoint: endpoints } } }) },
  });
  expect(names).toHaveLength(50);
  expect(notes).toEqual(['of 500 names 50 are asked for']);
});
