import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, parseAllDocuments, type YAMLMap } from 'yaml';

/** What a pinned Deployment has besides what k3s gives it. */
export interface ManifestPin {
  /** Put to the nodeSelector. */
  readonly labels: Readonly<Record<string, string>>;
  readonly affinity: object | undefined;
}

/**
 * Puts a pin into k3s' manifest of CoreDNS. Pure. Not a byte beside the pin is changed, and the text that
 * was given comes back where the pin is in it.
 */
export type ManifestEditor = (manifest: string, pin: ManifestPin) => EditedManifest;

export type EditedManifest =
  | { readonly kind: 'edited'; readonly text: string }
  /** It does not parse, or is written in a way that cannot be edited. */
  | { readonly kind: 'unfit'; readonly reason: string };

/**
 * The text is changed at the places that the parser names, and parsed again: what comes of it has to be
 * what was there and the pin, or nothing is made of it.
 */
export function pinManifest(manifest: string, pin: ManifestPin): EditedManifest {
  const read = readDocuments(manifest);
  if (typeof read === 'string') return unfit(`it does not parse: ${read}`);
  const found = read.filter(isCoreDns);
  const [deployment] = found;
  if (deployment === undefined || found.length > 1) {
    return unfit(`it has ${found.length} Deployments kube-system/coredns, expected one`);
  }
  const spec = deployment.getIn(podSpec);
  if (!isMap(spec)) return unfit('its Deployment has no template');
  const edits = [...labelEdits(manifest, spec, pin), ...affinityEdits(manifest, spec, pin)];
  const text = edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((before, { from, to, text }) => before.slice(0, from) + text + before.slice(to), manifest);
  return isAsMeant(text, read, deployment, pin)
    ? { kind: 'edited', text }
    : unfit('the pin cannot be written into it the way it is written');
}

const podSpec = ['spec', 'template', 'spec'];

function unfit(reason: string): EditedManifest {
  return { kind: 'unfit', reason };
}

type Manifest = Document.Parsed;

function readDocuments(text: string): readonly Manifest[] | string {
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'error' });
  const [problem] = documents.flatMap(({ errors }) => errors);
  return problem === undefined ? documents : problem.message;
}

function isCoreDns(document: Manifest): boolean {
  const is = (path: readonly string[], value: string) => document.getIn(path) === value;
  return (
    isMap(document.contents) &&
    is(['kind'], 'Deployment') &&
    is(['metadata', 'name'], 'coredns') &&
    is(['metadata', 'namespace'], 'kube-system')
  );
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function labelEdits(text: string, spec: YAMLMap, { labels }: ManifestPin): readonly Edit[] {
  const entries = Object.entries(labels);
  const selector = spec.get('nodeSelector');
  if (!isMap(selector)) {
    return entries.length === 0 ? [] : insertFirst(text, spec, `nodeSelector: ${JSON.stringify(labels)}`);
  }
  return entries.flatMap(([key, value]) => {
    if (selector.get(key) === value) return [];
    const known = selector.get(key, true);
    if (!isScalar(known) || !known.range)
      return insertFirst(text, selector, `${quote(key)}: ${quote(value)}`);
    const [from, to] = known.range;
    return [{ from, to, text: quote(value) }];
  });
}

/** One that is there and another one is left alone; that it is not what was meant is seen afterwards. */
function affinityEdits(text: string, spec: YAMLMap, { affinity }: ManifestPin): readonly Edit[] {
  if (affinity === undefined || spec.has('affinity')) return [];
  return insertFirst(text, spec, `affinity: ${JSON.stringify(affinity)}`);
}

/** Ahead of the first key of a mapping, at the same column. JSON is YAML. */
function insertFirst(text: string, map: YAMLMap, entry: string): readonly Edit[] {
  const key = map.items[0]?.key;
  const at = isScalar(key) ? key.range?.[0] : undefined;
  if (at === undefined) return [];
  const indent = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return [{ from: at, to: at, text: map.flow ? `${entry}, ` : `${entry}\n${indent}` }];
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function isAsMeant(text: string, before: readonly Manifest[], pinned: Manifest, pin: ManifestPin): boolean {
  const after = readDocuments(text);
  if (typeof after === 'string') return false;
  const meant = before.map((document) => (document === pinned ? withPin(document, pin) : document.toJS()));
  return isDeepStrictEqual(
    after.map((document) => document.toJS()),
    meant,
  );
}

function withPin(document: Manifest, { labels, affinity }: ManifestPin): unknown {
  const copy = document.clone();
  for (const [key, value] of Object.entries(labels)) copy.setIn([...podSpec, 'nodeSelector', key], value);
  if (affinity !== undefined) copy.setIn([...podSpec, 'affinity'], copy.createNode(affinity));
  return copy.toJS();
}
