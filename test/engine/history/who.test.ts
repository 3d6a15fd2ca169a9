import { expect, test } from 'vitest';
import { describeCaller } from '../../../src/engine/history/who.ts';
import { memoryHost } from '../memory-host.ts';

const unit = { INVOCATION_ID: '5f0d', USER: 'root' };

test.each([
  ['/system.slice/k3s-doctor.service', unit, 'k3s-doctor.service'],
  ['/system.slice/system-getty.slice/getty@tty1.service/a.service', unit, 'a.service'],
  ['/user.slice/user-0.slice/user@0.service/app.slice/vte-spawn.scope', unit, 'root'],
  ['/user.slice/user-0.slice/session-3.scope', unit, 'root'],
  ['/system.slice/k3s-doctor.service', { USER: 'root' }, 'root'],
  ['/user.slice/session-3.scope', { SUDO_USER: 'alice', USER: 'root' }, 'alice (sudo)'],
  ['/system.slice/cron.service', { ...unit, SUDO_USER: 'alice' }, 'alice (sudo)'],
  ['/', { LOGNAME: 'bob' }, 'bob'],
  ['/', {}, 'root'],
  ['/', { SUDO_USER: '\u001b[31mmallory\n' }, '[31mmallory (sudo)'],
  ['/', { SUDO_USER: '', USER: '' }, 'root'],
])('in %s with %j it is %s', async (path, env, name) => {
  const host = memoryHost({ '/proc/self/cgroup': `0::${path}\n` });
  expect(await describeCaller(host, env)).toBe(name);
});

test('without control groups it is the user', async () => {
  expect(await describeCaller(memoryHost(), unit)).toBe('root');
});
