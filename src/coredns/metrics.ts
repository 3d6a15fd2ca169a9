/** Of CoreDNS' metrics what says whether it runs what is configured. */
export interface CoreDnsMetrics {
  /** `coredns_reload_failed_total`. It is there whether the Corefile uses plugin `reload` or not. */
  readonly reloadsFailed: number | undefined;
  /**
   * The hash that `coredns_reload_version_info` tells of the configuration that was last tried; undefined until
   * something was reloaded for the first time.
   */
  readonly configHash: string | undefined;
}

/** Reads the text format of Prometheus. What is not there is undefined. */
export function parseCoreDnsMetrics(text: string): CoreDnsMetrics {
  const samples = text.split('\n').flatMap((line) => sampleOf(line) ?? []);
  const failed = samples.find(({ name }) => name === 'coredns_reload_failed_total');
  const version = samples.findLast(
    ({ name, labels, value }) =>
      name === 'coredns_reload_version_info' && labels.get('hash') === 'sha512' && value === 1,
  );
  return { reloadsFailed: failed?.value, configHash: version?.labels.get('value') };
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const sample =
  /^[ \t]*(?<name>[a-zA-Z_:][\w:]*)[ \t]*(?:\{(?<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]*(?<value>[^\s{}]+)(?:[ \t]+-?\d+)?\s*$/;
const label = /(?<name>[a-zA-Z_]\w*)[ \t]*=[ \t]*"(?<value>(?:[^"\\]|\\.)*)"/g;

function sampleOf(line: string): Sample | undefined {
  const { name, labels = '', value } = sample.exec(line)?.groups ?? {};
  const number = Number(value);
  if (name === undefined || Number.isNaN(number)) return undefined;
  const pairs = [...labels.matchAll(label)].map(
    ({ groups }) => [groups?.['name'] ?? '', unescaped(groups?.['value'] ?? '')] as const,
  );
  return { name, labels: new Map(pairs), value: number };
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
