import { expect, test } from 'vitest';
import { withoutSecretLines } from '../../src/host/without-secret-lines.ts';

const config = '/etc/rancher/k3s/config.yaml';

test("of k3s' configuration only what is known to be harmless is shown", () => {
  const text = [
    '# token: old',
    'token: SECRET',
    'resolv-conf: /etc/a',
    'datastore-endpoint: postgres://user:SECRET@host',
    'kubelet-arg:',
    '- v=2',
    '  - resolv-conf=/etc/b',
    'etcd-s3-secret-key: |',
    '  SECRET',
    '"disable+": [traefik]',
    '{token: SECRET, resolv-conf: x}',
    '',
  ].join('\n');
  const shown = 'resolv-conf: /etc/a\nkubelet-arg:\n- v=2\n  - resolv-conf=/etc/b\n"disable+": [traefik]\n';
  expect(withoutSecretLines(config, text)).toBe(shown);
  expect(withoutSecretLines(`${config}.d/10-a.yaml`, text)).toBe(shown);
});

test('of a unit only harmless words of what it starts are shown', () => {
  const unit = [
    '[Service]',
    'Environment=K3S_TOKEN=SECRET',
    'ExecStartPre=/bin/sh -c "echo SECRET"',
    'ExecStart=/usr/local/bin/k3s \\',
    '    server \\',
    "\t'--token' \\",
    "\t'SECRET' \\",
    "\t'--datastore-endpoint=mysql://root:SECRET@host' \\",
    "\t'--resolv-conf' \\",
    "\t'/etc/a' \\",
    "\t'--disable=coredns' \\",
    '\t-t SECRET --kubelet-arg "v=2" --kubelet-arg=x SECRET',
    '',
  ].join('\n');
  expect(withoutSecretLines('/etc/systemd/system/k3s.service', unit)).toBe(
    "ExecStart=/usr/local/bin/k3s server '--resolv-conf' '/etc/a' '--disable=coredns' --kubelet-arg \"v=2\" --kubelet-arg=x\n",
  );
});

test('of registries.yaml only the mirrors are shown, without their passwords', () => {
  const text = [
    'mirrors:',
    '  docker.io:',
    '    endpoint:',
    '      - "https://user:SECRET@mirror.example.org:5000/v2"',
    'configs:',
    '  mirror.example.org:',
    '    auth:',
    '      password: SECRET',
    '',
  ].join('\n');
  expect(withoutSecretLines('/etc/rancher/k3s/registries.yaml', text)).toBe(
    'mirrors:\n  docker.io:\n    endpoint:\n      - "https://***@mirror.example.org:5000/v2"\n',
  );
});

test('other files are shown as they are', () => {
  expect(withoutSecretLines('/etc/resolv.conf', 'nameserver 192.0.2.1\n')).toBe('nameserver 192.0.2.1\n');
});
