import type { Fact, FactContext } from '../../engine/fact.ts';
import type { FileResult } from '../../host/host.ts';
import { readK3sConfig } from './k3s-config.ts';

/** What k3s was told, of what concerns DNS: by its command line, its unit and its configuration. */
export type K3sOptions =
  | {
      readonly kind: 'known';
      /** The last word on `resolv-conf`, and where it stands. */
      readonly resolvConf: Told | undefined;
      /** Where an agent, or a further server, joins: `https://NAME:6443`. */
      readonly server: Told | undefined;
      /** Where k3s' own images come from. */
      readonly systemDefaultRegistry: Told | undefined;
      /** Packaged components that are switched off. */
      readonly disabled: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly reason: string };

interface Told {
  readonly value: string;
  readonly from: string;
}

/** Of one key, with what stands in its name behind it: `+` adds to what was said before. */
interface Setting extends Told {
  readonly key: string;
  readonly adds: boolean;
}

export const k3sOptionsFact: Fact<K3sOptions> = {
  id: 'k3s-dns-options',
  async gather(context) {
    const [environment, commandLine] = await Promise.all([
      readEnvironment(context),
      readCommandLines(context),
    ]);
    const elsewhere = lastOf(commandLine, ['config', 'c']);
    if (elsewhere !== undefined && elsewhere.value !== configFile) {
      return {
        kind: 'unknown',
        reason: `${elsewhere.from} has k3s read ${elsewhere.value}, which is not read here: it may hold secrets`,
      };
    }
    const config = await readConfig(context);
    if (typeof config === 'string') return { kind: 'unknown', reason: config };
    const settings = [...environment, ...config, ...commandLine];
    const kubeletArgs = allOf(settings, ['kubelet-arg', 'kube-kubelet-arg']).flatMap(({ value, from }) => {
      const path = /^(?:--)?resolv-conf=(.+)$/.exec(value)?.[1];
      return path === undefined ? [] : [{ value: path, from }];
    });
    return {
      kind: 'known',
      resolvConf: kubeletArgs.at(-1) ?? lastOf(settings, ['resolv-conf']),
      server: lastOf(settings, ['server', 's']),
      systemDefaultRegistry: lastOf(settings, ['system-default-registry']),
      disabled: allOf(settings, ['disable'])
        .flatMap(({ value }) => value.split(','))
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    };
  },
};

function allOf(settings: readonly Setting[], keys: readonly string[]): readonly Setting[] {
  return settings
    .filter(({ key }) => keys.includes(key))
    .reduce<readonly Setting[]>((kept, next) => {
      // Within one place everything adds up.
      const before = next.adds ? kept : kept.filter(({ from }) => from === next.from);
      return [...before, next];
    }, []);
}

function lastOf(settings: readonly Setting[], keys: readonly string[]): Told | undefined {
  const last = settings.findLast(({ key }) => keys.includes(key));
  return last && { value: last.value, from: last.from };
}

/** Of the units' environment, which may hold tokens, the lines that are wanted here. */
async function readEnvironment({ host }: FactContext): Promise<readonly Setting[]> {
  const files = await Promise.all(
    units.map(async (unit) => ({ from: `${unit}.env`, file: await host.readFile(`${unit}.env`) })),
  );
  return files.flatMap(({ from, file }) => {
    const text = file.kind === 'read' ? file.text : '';
    return variables.flatMap(({ name, key }) => {
      const value = new RegExp(`^${name}=["']?([^"'\\n]+?)["']?\\s*$`, 'm').exec(text)?.[1];
      return value === undefined ? [] : [{ key, value, from, adds: true }];
    });
  });
}

const variables = [
  { name: 'K3S_RESOLV_CONF', key: 'resolv-conf' },
  { name: 'K3S_URL', key: 'server' },
  { name: 'K3S_SYSTEM_DEFAULT_REGISTRY', key: 'system-default-registry' },
];

const units = ['/etc/systemd/system/k3s.service', '/etc/systemd/system/k3s-agent.service'];

/** k3s writes a title over its arguments as soon as it runs: its unit still has them. */
async function readCommandLines({ host }: FactContext): Promise<readonly Setting[]> {
  const processes = await host.listProcesses();
  const running = processes.find(({ name }) => /^k3s(-server|-agent)?$/.test(name));
  const found = await Promise.all(
    units.map(async (path) => {
      const file = await host.readFile(path);
      return file.kind === 'read' ? readFlags(readExecStart(file.text), path) : [];
    }),
  );
  return [...found.flat(), ...readFlags(running?.args ?? [], 'the command line of k3s')];
}

/** The words of the last ExecStart=, as install.sh of k3s writes it. */
function readExecStart(unit: string): readonly string[] {
  const line =
    unit
      .replace(/\\\n/g, ' ')
      .match(/^ExecStart=.*$/gm)
      ?.at(-1) ?? '';
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

function readFlags(words: readonly string[], from: string): readonly Setting[] {
  return words.flatMap((word, index): readonly Setting[] => {
    const [, key, assigned] = /^--?([a-z][a-z-]*)(?:=(.*))?$/.exec(word) ?? [];
    const value = assigned ?? words[index + 1];
    return key === undefined || value === undefined ? [] : [{ key, value, from, adds: true }];
  });
}

/** A recording keeps of it, and of the folder beside it, what is no secret. */
const configFile = '/etc/rancher/k3s/config.yaml';

/** In the order in which k3s reads them; a line for a person when one cannot be understood. */
async function readConfig({ host }: FactContext): Promise<readonly Setting[] | string> {
  const folder = `${configFile}.d`;
  const names = (await host.listDirectory(folder))?.map(({ name }) => name) ?? [];
  const dropIns = names.filter((name) => /\.ya?ml$/i.test(name)).sort();
  const paths = [configFile, ...dropIns.map((name) => `${folder}/${name}`)];
  const files = await Promise.all(
    paths.map(async (each) => ({ path: each, file: await host.readFile(each) })),
  );
  const settings: Setting[] = [];
  for (const { path: from, file } of files) {
    const found = await readSettings(from, file);
    if (typeof found === 'string') return found;
    settings.push(...found);
  }
  return settings;
}

async function readSettings(from: string, file: FileResult): Promise<readonly Setting[] | string> {
  if (file.kind === 'absent') return [];
  if (file.kind === 'unreadable') return `${from} cannot be read: ${file.reason}`;
  const told = await readK3sConfig(file.text);
  if (told === undefined) return `${from} is no mapping in YAML that can be read`;
  return told.map(({ key, value }) =>
    key.endsWith('+')
      ? { key: key.slice(0, -1), value, from, adds: true }
      : { key, value, from, adds: false },
  );
}
