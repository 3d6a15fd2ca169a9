import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { listSettings } from '../../src/config/list-settings.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { renderSettings } from '../../src/config/render-settings.ts';

const file = '/etc/k3s-doctor/config.yaml';
const load = async (text: string) => ({ ...(await parseConfig(file, text)), source: file });
const withoutFile = { config: defaultConfig(), source: undefined, lineOf: () => undefined };

const text = `guards:
  strikes: 2
  breaker: {failures: 9}
commands:
  crictl: /opt/crictl
schedule:
  runs:
    - {cron: "@daily", verb: check}
    - cron: "*/5 * * * *"
      verb: fix
`;

test('without a file every value is a default', () => {
  const settings = listSettings(withoutFile);
  expect(settings.every(({ source, line }) => source === 'default' && line === undefined)).toBe(true);
  expect(settings.find(({ key }) => key === 'guards.strikes')).toMatchObject({ value: 2 });
});

test('a value that the file says comes from its line, even where it is the default', async () => {
  const settings = listSettings(await load(text));
  const fromFile = settings.filter(({ source }) => source === file);
  expect(fromFile.map(({ key, value, line }) => [key, value, line])).toEqual([
    ['commands.crictl', ['/opt/crictl'], 5],
    ['guards.strikes', 2, 2],
    ['guards.breaker.failures', 9, 3],
    ['schedule.runs[0]', { cron: '@daily', verb: 'check' }, 8],
    ['schedule.runs[1]', { cron: '*/5 * * * *', verb: 'fix' }, 9],
  ]);
  expect(settings.filter(({ key }) => key.startsWith('schedule.runs'))).toHaveLength(2);
});

test('an option goes before the file', async () => {
  const loaded = await load('kubeconfig: /from/file\n');
  const settings = listSettings(loaded, { kubeconfig: '/from/option' });
  expect(settings.filter(({ key }) => key === 'kubeconfig')).toEqual([
    { path: ['kubeconfig'], key: 'kubeconfig', value: '/from/option', source: '--kubeconfig' },
  ]);
});

test('as text each value has its source beside it, in one column', async () => {
  const lines = renderSettings(listSettings(await load(text))).split('\n');
  expect(lines.map((line) => line.replace(/ +#/, '  #'))).toEqual(
    expect.arrayContaining([
      'guards:',
      '  strikes: 2  # /etc/k3s-doctor/config.yaml:2',
      '  breaker:',
      '    minutes: 60  # default',
      '    - {cron: "*/5 * * * *", verb: fix}  # /etc/k3s-doctor/config.yaml:9',
    ]),
  );
  expect(new Set(lines.map((line) => line.indexOf('#')).filter((column) => column !== -1)).size).toBe(1);
});

test('the text is a configuration that says the same, whatever the words in it are', async () => {
  const odd = fc.constantFrom('two\nlines', 'long '.repeat(30), ' # x', '- a', 'null', '[', '"', "'");
  const any = fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0'));
  const words = fc.array(fc.oneof(odd, any));
  const path = fc.string({ unit: 'grapheme' }).filter((name) => !/[\0/]/.test(name));
  const commands = fc.record({ nft: words, crictl: words }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(commands, path, async (given, name) => {
      const listed = Object.entries(given).map(([tool, rest]) => [tool, ['/bin/x', ...rest]]);
      const config = {
        ...defaultConfig(),
        commands: Object.fromEntries(listed),
        kubeconfig: `/etc/${name}x`,
        checks: {
          ...defaultConfig().checks,
          'iptables-ghosts': { mode: 'off', maxChanges: 1, networks: ['a', 'b'], probe: false },
        },
      } as const;
      const rendered = renderSettings(listSettings({ ...withoutFile, config }));
      expect((await parseConfig('pasted', rendered)).config).toEqual(config);
    }),
    { numRuns: 200 },
  );
});
