import { expect, test } from 'vitest';
import { isSecretPath } from '../../src/host/secrets.ts';

test.each(['/etc/rancher/k3s/k3s.yaml', '/etc/systemd/system/k3s.service.env', '/run/other/subnet.env'])(
  '%s may hold credentials',
  (path) => {
    expect(isSecretPath(path)).toBe(true);
  },
);

test.each([
  '/run/flannel/subnet.env',
  '/etc/ufw/user.rules',
  '/etc/default/ufw',
  '/proc/sys/kernel/hostname',
])('%s holds none, and is recorded', (path) => {
  expect(isSecretPath(path)).toBe(false);
});
