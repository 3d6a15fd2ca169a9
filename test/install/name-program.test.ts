import { expect, test } from 'vitest';
import { nameProgram } from '../../src/install/name-program.ts';

const unit = `[Unit]
Documentation=file:///usr/local/lib/node_modules/k3s-doctor/README.md
[Service]
ExecStart=k3s-doctor check
ExecStopPost=-k3s-doctor settle
ExecStartPre=+touch k3s-doctor
ExecReload=k3s-doctor-other
`;

test('the program is named wherever it is run, and nowhere else', () => {
  expect(nameProgram(unit, ['/opt/node', '--a=1', '/opt/doctor.js'])).toBe(
    unit
      .replace('=k3s-doctor check', '=/opt/node --a=1 /opt/doctor.js check')
      .replace('=-k3s-doctor settle', '=-/opt/node --a=1 /opt/doctor.js settle'),
  );
});

test.each([
  ['/opt/my node', '"/opt/my node"'],
  ['/opt/100%', '/opt/100%%'],
  ['/opt/a;b', '"/opt/a;b"'],
])('%j is written as %s', (program, written) => {
  expect(nameProgram('ExecStart=k3s-doctor check', [program])).toBe(`ExecStart=${written} check`);
});

test.each([
  ['/opt/"a"\\n', '"/opt/\\"a\\"\\\\n"'],
  ['/opt/a\nb', '"/opt/a\\nb"'],
  ["/opt/it's", `"/opt/it's"`],
])('%j can be an argument, and not the program', (word, written) => {
  expect(nameProgram('ExecStart=k3s-doctor check', ['/node', word])).toBe(`ExecStart=/node ${written} check`);
  expect(() => nameProgram('ExecStart=k3s-doctor check', [word])).toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
});

test('variables are replaced in arguments alone', () => {
  expect(nameProgram('ExecStart=k3s-doctor check', ['/$a', '/$b', '$& c'])).toBe(
    'ExecStart=/$a /$$b "$$& c" check',
  );
});
