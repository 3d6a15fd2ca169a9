/** A key of k3s' configuration, with one of its values; one that has a list is there several times. */
export interface Told {
  readonly key: string;
  readonly value: string;
}

/** Reads a file of k3s' configuration for what concerns DNS; undefined where that is not understood. */
export async function readK3sConfig(text: string): Promise<readonly Told[] | undefined> {
  if (!ours.test(text)) return [];
  return readPlain(text) ?? (await readYaml(text));
}

const ours = /resolv-conf|kubelet-arg|disable|server|system-default-registry/;

/** A file of such lines alone needs no parser, which takes longer to load than all else here. */
const plainLine =
  /^(?:[ \t]*(?:#.*)?|(?<key>[\w-]+\+?):(?: +(?<value>(?:[\w./,=-]|:(?=[\w/]))+))?|[ ]*- +(?<item>[\w./,=-]+))$/;

function readPlain(text: string): readonly Told[] | undefined {
  const told: Told[] = [];
  let list: string | undefined;
  for (const line of text.split('\n')) {
    const match = plainLine.exec(line);
    if (match === null) return undefined;
    const { key, value, item } = match.groups ?? {};
    if (item !== undefined) {
      if (list === undefined) return undefined;
      told.push({ key: list, value: item });
    } else if (key !== undefined) {
      list = value === undefined ? key : undefined;
      if (value !== undefined) told.push({ key, value });
    }
  }
  return told;
}

async function readYaml(text: string): Promise<readonly Told[] | undefined> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) return undefined;
  const content = plainOf(document);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined;
  return Object.entries(content).flatMap(([key, value]: [string, unknown]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((each) =>
      typeof each === 'string' || typeof each === 'boolean' ? [{ key, value: String(each) }] : [],
    );
  });
}

/** Aliases that blow up are not understood. */
function plainOf(document: { toJS(options: { maxAliasCount: number }): unknown }): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
