import { count } from '../engine/count.ts';
import { tableWords } from '../netfilter/walk/decision-words.ts';
import type { TextOptions } from './text.ts';
import type { TraceEnd, TraceReport, TraceService } from './trace-schema.ts';
import { assumptionWords, decisionWords, hex, packetWords, serviceWords, wayWords } from './trace-words.ts';
import { wrap } from './wrap.ts';

/** For a person at a terminal: the verdict, who decides, what nat made of it, and who is behind it. */
export function renderTrace(report: TraceReport, options: TextOptions): string {
  const trace = printable(report);
  const { colour, verbose, width } = options;
  const groups = verbose ? trace.ends.map((end) => [end]) : groupEnds(trace.ends);
  const isOne = groups.length === 1;
  const common = isOne ? [] : commonAssumptions(groups);
  const shown = verbose ? groups : groups.slice(0, maxGroups);
  const hidden = groups.length - shown.length;
  const hasPath = trace.ends.some(({ path, decidedBy }) => path.length > 0 || decidedBy.kind === 'policy');
  const blocks = [
    [headline(trace, options), ...deadEndpoints(trace, options)].join('\n'),
    assumptionRows(common, options).join('\n'),
    ...shown.map((ends) => renderEnds(ends, trace, { ...options, isOne, common })),
    ...(hidden > 0 ? [`… and ${count(hidden, 'more end')} (-v shows all, --format json has them)`] : []),
    ...renderServices(trace, options),
    trace.notices.map((notice) => colour.yellow(wrap(`Note: ${notice}`, width, '      '))).join('\n'),
    ...(verbose || !hasPath ? [] : [colour.dim('The whole path, rule by rule: -v')]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const maxGroups = 8;

/** Comments and names on a node are anybody's: none may do anything to the terminal. */
function printable(trace: TraceReport): TraceReport {
  return JSON.parse(JSON.stringify(trace), (_, value: unknown) =>
    typeof value === 'string' ? value.replace(/[\p{Cc}\u2028\u2029\u00a0]+/gu, ' ') : value,
  );
}

function headline({ verdict, packet }: TraceReport, options: TextOptions): string {
  const { width } = options;
  const room = width - verdict.length - 2;
  return `${tint(verdict, options)}  ${wrap(packetWords(packet), room, '  ')}`;
}

function tint(verdict: TraceReport['verdict'], { colour }: TextOptions): string {
  const paint = {
    pass: colour.green,
    drop: colour.red,
    reject: colour.red,
    depends: colour.yellow,
    unknown: colour.yellow,
  };
  return colour.bold(paint[verdict](verdict.toUpperCase()));
}

function deadEndpoints({ ends }: TraceReport, options: TextOptions): string[] {
  const dead = ends.filter(({ fate, endpoint }) => fate === 'pass' && endpoint === 'dead');
  const gone = [...new Set(dead.flatMap(({ destination }) => destination?.to ?? []))];
  const [first] = gone;
  if (first === undefined) return [];
  const more = gone.length > 1 ? ` and ${count(gone.length - 1, 'more endpoint')} are` : ' is';
  const words = `${first}${more} dead: nobody answers there. What to do: doctor check iptables-ghosts`;
  return [options.colour.red(`● ${wrapAt(words, options, 2)}`)];
}

/** Ends that differ in where the packet was sent to, and in nothing else that a person decides by. */
function groupEnds(ends: readonly TraceEnd[]): TraceEnd[][] {
  const key = ({ fate, way, outLink, decidedBy, destination, source, assumptions }: TraceEnd) =>
    JSON.stringify([
      ...[fate, way, outLink, decisionKey(decidedBy), destination?.from, source],
      ...assumptions.filter(({ kind }) => kind === 'unknown').map(({ rule }) => [tableWords(rule), rule]),
    ]);
  return [...Map.groupBy(ends, key).values()];
}

/** What holds for all of them, however they end. */
function commonAssumptions(groups: readonly (readonly TraceEnd[])[]): TraceEnd['assumptions'] {
  const [first = [], ...others] = groups.map((ends) => ends.flatMap(({ assumptions }) => assumptions));
  const sets = others.map((assumptions) => new Set(assumptions.map(assumptionKey)));
  const all = first.filter((each) => sets.every((set) => set.has(assumptionKey(each))));
  return [...new Map(all.map((each) => [assumptionKey(each), each])).values()];
}

function assumptionKey({ kind, reason, rule }: TraceEnd['assumptions'][number]): string {
  return [kind, reason, tableWords(rule), rule.chain, rule.number].join(' ');
}

function assumptionRows(assumptions: TraceEnd['assumptions'], options: TextOptions): string[] {
  return assumptionWords(assumptions).map(({ label, text }) =>
    row(label, options.colour.yellow(wrapAt(text, options))),
  );
}

function decisionKey(decidedBy: TraceEnd['decidedBy']): unknown {
  if (decidedBy.kind !== 'rule') return decidedBy;
  const { text: _, ...rule } = decidedBy.rule;
  return rule;
}

interface EndsOptions extends TextOptions {
  /** Nothing else may come of the packet: the verdict has said what becomes of it. */
  readonly isOne: boolean;
  /** What was said of all ends already. */
  readonly common: TraceEnd['assumptions'];
}

function renderEnds(ends: readonly TraceEnd[], trace: TraceReport, options: EndsOptions): string {
  const { colour, isOne, common, verbose } = options;
  const [end] = ends;
  if (!end) return '';
  const { decidedBy, source, mark } = end;
  const text = decidedBy.kind === 'rule' ? decidedBy.rule.text : '';
  const way = wayWords(end);
  const said = new Set(common.map(assumptionKey));
  const assumed = ends
    .flatMap(({ assumptions }) => assumptions)
    .filter((each) => !said.has(assumptionKey(each)));
  const rows = [
    ...(isOne ? [] : [tint(end.fate, options)]),
    row('by', wrapAt(decisionWords(end), options)),
    ...(text === '' ? [] : [row('', colour.dim(wrapAt(text, options)))]),
    ...destinations(ends, options),
    ...(source
      ? [
          row(
            'source',
            wrapAt(`${source.from} → ${source.to ?? "the node's address on its link out"}`, options),
          ),
        ]
      : []),
    ...(mark === trace.packet.mark ? [] : [row('mark', hex(mark))]),
    ...(way === undefined ? [] : [row('way', wrapAt(way, options))]),
    ...assumptionRows(assumed, options),
    ...(verbose ? renderPath(end, options) : []),
  ];
  return rows.join('\n');
}

/** Stands for a space at which no line ends; `printable` has removed all others. */
const nonBreaking = '\u00a0';

function keepTogether(text: string): string {
  return text.replaceAll(' ', nonBreaking);
}

const labelWidth = 10;

function row(label: string, text: string): string {
  return `  ${label.padEnd(labelWidth - 2)}${text}`;
}

function wrapAt(text: string, { width }: TextOptions, column = labelWidth): string {
  return wrap(text, width - column, '')
    .replaceAll('\n', `\n${' '.repeat(column)}`)
    .replaceAll(nonBreaking, ' ');
}

/** `10.43.0.10:53 → 10.42.0.5:53 / 10.42.1.7:53`. */
function destinations(ends: readonly TraceEnd[], options: EndsOptions): string[] {
  const { colour, verbose } = options;
  const states = new Map(
    ends.flatMap(({ destination, endpoint }) => (destination ? [[destination.to, endpoint] as const] : [])),
  );
  const from = ends[0]?.destination?.from;
  if (from === undefined || states.size === 0) return [];
  const most = verbose ? states.size : 8;
  const shown = [...states].slice(0, most);
  const more = states.size > most ? ` / … ${states.size - most} more` : '';
  const all = shown.map(([to, state]) =>
    state === undefined || state === 'live' ? to : keepTogether(`${to} ${state.replace('-', ' ')}`),
  );
  const text = wrapAt(`${from} → ${all.join(' / ')}${more}`, options);
  return [
    row(
      'to',
      text.replaceAll(/\bdead\b/g, (word) => colour.red(word)),
    ),
  ];
}

const pathColumn = 17;

function renderPath({ path, decidedBy }: TraceEnd, options: EndsOptions): string[] {
  const lines = path.flatMap(({ hook = '', action, rule }) => {
    const where = `${tableWords(rule)} ${rule.chain} ${rule.number || ''}`.trimEnd();
    const text = options.colour.dim(wrapAt(rule.text, options, pathColumn));
    return [
      `    ${hook.padEnd(pathColumn - 4)}${wrapAt(`${where}: ${action}`, options, pathColumn)}`,
      ...(rule.text === '' ? [] : [`${' '.repeat(pathColumn)}${text}`]),
    ];
  });
  const policy =
    decidedBy.kind === 'policy'
      ? [
          `    ${' '.repeat(pathColumn - 4)}${wrapAt(`${tableWords(decidedBy.chain)} ${decidedBy.chain.chain}: no rule decides, its policy does`, options, pathColumn)}`,
        ]
      : [];
  return path.length + policy.length === 0 ? [] : ['  path', ...lines, ...policy];
}

function renderServices(trace: TraceReport, options: TextOptions): string[] {
  const { colour, verbose, width } = options;
  const { services, statesFrom, statesMissing } = trace;
  if (services.length === 0) return [];
  const blocks = [...Map.groupBy(services, serviceWords)].map(([title, claims]) =>
    [colour.bold(title), ...claims.map((claim) => renderClaim(claim, options))].join('\n'),
  );
  const why =
    statesMissing === undefined ? '' : verbose ? ` (${statesMissing})` : ' (-v says why not better)';
  const how = statesFrom === undefined ? [] : [wrap(`Live or dead: ${statesFrom}${why}`, width, '  ')];
  return [[...blocks, ...how.map((line) => colour.dim(line))].join('\n')];
}

const order = { alone: '', unknown: '', first: 'asked first', second: 'asked second' } as const;

function renderClaim({ backend, asked, endpoints, isShadowed }: TraceService, options: TextOptions): string {
  const { verbose } = options;
  const most = verbose ? endpoints.length : 8;
  const shown = endpoints.slice(0, most).map(({ address, port, state }) => {
    const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    return keepTogether(`${where} ${state.replace('-', ' ')}`);
  });
  const more = endpoints.length > most ? [`… ${endpoints.length - most} more`] : [];
  const remark = isShadowed ? 'never reached: an earlier rule takes it' : order[asked];
  const head = `  iptables-${backend}`.padEnd(19);
  const text = [...shown, ...more].join(', ') || 'no endpoints';
  const lines = wrapAt(`${text}${remark && ` (${remark})`}`, options, head.length);
  return `${head}${paintStates(lines, options)}`;
}

function paintStates(text: string, { colour }: TextOptions): string {
  return text
    .replaceAll(/\blive\b/g, (word) => colour.green(word))
    .replaceAll(/\bdead\b/g, (word) => colour.red(word))
    .replaceAll(/\b(not ready|unknown)\b/g, (word) => colour.yellow(word));
}
