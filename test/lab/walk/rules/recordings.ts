/** Recorded hosts as rules to load, and changed a little. */
import { readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Backend, backends, type Family, families } from '../../../../src/netfilter/ruleset.ts';
import type { Rules } from '../load-rules.ts';
import type { Random } from '../random.ts';
import type { Flow, Targets } from '../random-probe.ts';
import { nodeAddresses } from '../world.ts';

export interface Recording {
  readonly name: string;
  readonly rules: Rules;
  /** Addresses and ports that occur in it. */
  readonly targets: Targets;
}

const fixtures = new URL('../../../../fixtures/', import.meta.url);
/** Made for parsers: its rules are of all kinds, and most of them do nothing sensible. */
const unfit = ['matches-of-many-kinds'];

const hostSchema = z.object({
  commands: z.array(z.object({ tool: z.string(), stdout: z.string().optional() })).default([]),
});

export async function readRecordings(): Promise<readonly Recording[]> {
  const all = await readdir(fixtures, { recursive: true });
  const folders = all.flatMap((path) =>
    path.endsWith('/host.json') ? [path.slice(0, -'host.json'.length)] : [],
  );
  const fit = folders.sort().filter((folder) => !unfit.some((name) => folder.startsWith(name)));
  const recordings = await Promise.all(fit.map(readRecording));
  return recordings.filter(({ targets }) => targets.ports.length > 0);
}

async function readRecording(folder: string): Promise<Recording> {
  const { commands } = hostSchema.parse(
    JSON.parse(await readFile(new URL(`${folder}host.json`, fixtures), 'utf8')),
  );
  const read = async (backend: Backend, family: Family) => {
    const tool = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-save`;
    const file = commands.find((command) => command.tool === tool)?.stdout;
    if (file === undefined) return [];
    const text = await readFile(new URL(`${folder}${file}`, fixtures), 'utf8');
    return text.split('\n').flatMap(loadable);
  };
  const dumps = await Promise.all(
    backends.map(async (backend) => ({
      ipv4: await read(backend, 'ipv4'),
      ipv6: await read(backend, 'ipv6'),
    })),
  );
  const [legacy = { ipv4: [], ipv6: [] }, nft = { ipv4: [], ipv6: [] }] = dumps;
  const lines = { ipv4: [...legacy.ipv4, ...nft.ipv4], ipv6: [...legacy.ipv6, ...nft.ipv6] };
  const targets: Targets = {
    addresses: { ipv4: found(lines.ipv4, destinations4), ipv6: found(lines.ipv6, destinations6) },
    sources: { ipv4: found(lines.ipv4, sources4), ipv6: found(lines.ipv6, sources6) },
    ports: [...new Set(found([...lines.ipv4, ...lines.ipv6], portWords).flatMap(portsIn))],
    flows: { ipv4: flowsIn(lines.ipv4, 'ipv4'), ipv6: flowsIn(lines.ipv6, 'ipv6') },
    own: { ipv4: [], ipv6: [] },
  };
  return {
    name: folder,
    rules: {
      sets: families.flatMap((family) => setsFor(lines, family, targets)),
      iptables: { legacy, nft },
      native: [],
      nativeFirst: false,
    },
    targets,
  };
}

/** kube-proxy's packet accounts cannot be made here; they match everything. */
function loadable(line: string): string[] {
  const text = line.replace(/^\[\d+:\d+\] /, '').replace(/ -m nfacct --nfacct-name +\S+/g, '');
  return text === '' || text.startsWith('#') ? [] : [text];
}

const destinations4 = /(?:-d |--to-destination )(\d+\.\d+\.\d+\.\d+)/g;
const sources4 = /-s (\d+\.\d+\.\d+\.\d+)\/32/g;
const destinations6 = /(?:-d |--to-destination \[?)([0-9a-f]*:[0-9a-f:]+)/g;
const sources6 = /-s ([0-9a-f]*:[0-9a-f:]+)\/128/g;
const portWords = /(?:--d?ports? |--to-destination \S+?:)([\d,:]+)\b/g;

function found(lines: readonly string[], pattern: RegExp): string[] {
  const all = lines.flatMap((line) => [...line.matchAll(pattern)].map(([, each = '']) => each));
  return [...new Set(all)].filter((each) => !unusable.test(each));
}

/** Services at their addresses, and what is asked for at the node's own. */
function flowsIn(lines: readonly string[], family: Family): Flow[] {
  return lines.flatMap((line) => {
    const [, protocol] = / -p (tcp|udp) /.exec(line) ?? [];
    const port = Number(/ --dports? (\d+)/.exec(line)?.[1] ?? 0);
    if ((protocol !== 'tcp' && protocol !== 'udp') || port === 0) return [];
    const [, address] = / -d ([0-9a-f.:]+)\/(?:32|128) /.exec(line) ?? [];
    const isHere = /^-A (KUBE-NODEPORTS|CNI-HOSTPORT-DNAT)|--dst-type LOCAL/.test(line);
    const own = isHere ? Object.values(nodeAddresses[family]) : [];
    return [...(address === undefined ? [] : [address]), ...own].flatMap((each) =>
      unusable.test(each) ? [] : [{ address: each, protocol, port }],
    );
  });
}

const unusable = /^(0\.|127\.|22[4-9]|23\d|255|::1?$|fe80|ff)|\.255$/;

function portsIn(text: string): number[] {
  return text
    .split(/[,:]/)
    .map(Number)
    .filter((port) => port > 0 && port < 65_536);
}

/** kube-router's sets of addresses; what was in them was not recorded. */
function setsFor(
  lines: Readonly<Record<Family, readonly string[]>>,
  family: Family,
  { addresses }: Targets,
): string[] {
  const names = [
    ...new Set(
      lines[family].flatMap((line) => [...line.matchAll(/--match-set (\S+)/g)].map(([, name = '']) => name)),
    ),
  ];
  const inside = [...addresses[family], nodeAddresses[family].eth0];
  return names.flatMap((name, index) => [
    `create ${name} hash:ip family ${family === 'ipv4' ? 'inet' : 'inet6'}`,
    ...inside.filter((_, at) => (at + index) % 3 !== 0).map((address) => `add ${name} ${address} -exist`),
  ]);
}

/** A few rules of it left out, moved, turned round or sent elsewhere. */
export function mutate(rules: Rules, random: Random): Rules {
  const change = (lines: readonly string[]) => {
    let changed = [...lines];
    for (let count = random.below(4); count > 0 && changed.length > 0; count--)
      changed = mutateOnce(changed, random);
    return changed;
  };
  const both = (dumps: Readonly<Record<Family, readonly string[]>>) => ({
    ipv4: change(dumps.ipv4),
    ipv6: change(dumps.ipv6),
  });
  return { ...rules, iptables: { legacy: both(rules.iptables.legacy), nft: both(rules.iptables.nft) } };
}

function mutateOnce(lines: readonly string[], random: Random): string[] {
  const ruleNumbers = lines.flatMap((line, index) => (line.startsWith('-A ') ? [index] : []));
  if (ruleNumbers.length === 0) return [...lines];
  const at = random.pick(ruleNumbers);
  const line = lines[at] ?? '';
  const next = lines[at + 1] ?? '';
  const replaced = (...with_: string[]) => [...lines.slice(0, at), ...with_, ...lines.slice(at + 1)];
  return random.weighted([
    [4, () => replaced()],
    [
      3,
      () =>
        next.startsWith(line.split(' ', 2).join(' '))
          ? [...lines.slice(0, at), next, line, ...lines.slice(at + 2)]
          : replaced(),
    ],
    [
      3,
      () =>
        replaced(
          line.replace(
            /--dport (\d+)(?![\d:])/,
            (_, port) => `--dport ${Math.max(1, Number(port) - 1)}:${port}`,
          ),
        ),
    ],
    [
      4,
      () =>
        replaced(
          line.replace(
            / (! )?(-[sdio]|--dport|--ctstate|--mark|--dst-type|--src-type) /,
            (_, negated, option) => (negated ? ` ${option} ` : ` ! ${option} `),
          ),
        ),
    ],
    [
      2,
      () =>
        replaced(
          line
            .replace(/-j (ACCEPT|RETURN)$/, random.pick(['-j DROP', '-j ACCEPT', '-j RETURN']))
            .replace(/^(?=-A \S*(?:PREROUTING|OUTPUT|POSTROUTING|KUBE-|CNI-).*-j DROP$)/, ''),
        ),
    ],
    [
      2,
      () =>
        lines.map((each) =>
          /^:(INPUT|FORWARD) /.test(each) && random.chance(0.3)
            ? each.replace(/ (ACCEPT|DROP) /, random.pick([' ACCEPT ', ' DROP ']))
            : each,
        ),
    ],
  ]);
}
