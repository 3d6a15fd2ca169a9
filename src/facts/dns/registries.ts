import { z } from 'zod';
import type { Host } from '../../host/host.ts';

/** Where images really come from, as registries.yaml says. Passwords in it are never looked at. */
export interface Registries {
  readonly mirrors: readonly {
    /** `docker.io`, `registry.example.org:5000`, `*` */
    readonly registry: string;
    /** URLs; none: k3s shares images of that registry between its nodes. */
    readonly endpoints: readonly string[];
  }[];
  /** Why it may say more; a line each. */
  readonly doubts: readonly string[];
}

const path = '/etc/rancher/k3s/registries.yaml';

export async function readRegistries(host: Host): Promise<Registries> {
  const file = await host.readFile(path);
  if (file.kind === 'absent') return { mirrors: [], doubts: [] };
  if (file.kind === 'unreadable') return doubted(`${path} cannot be read: ${file.reason}`);
  // Else there is nothing in it but credentials.
  if (!file.text.includes('mirrors')) return { mirrors: [], doubts: [] };
  const { parseDocument } = await import('yaml');
  const document = parseDocument(file.text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) return doubted(`${path} is not valid YAML: k3s does not start with it`);
  const parsed = schema().safeParse(readPlain(document));
  if (!parsed.success) return doubted(`the mirrors in ${path} cannot be understood`);
  const mirrors = Object.entries(parsed.data?.mirrors ?? {});
  return {
    mirrors: mirrors.map(([registry, mirror]) => ({ registry, endpoints: mirror?.endpoint ?? [] })),
    doubts: [],
  };
}

/** Aliases that blow up are no plain values. */
function readPlain(document: { toJS(options: { maxAliasCount: number }): unknown }): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return 'too many aliases';
  }
}

function schema() {
  const mirror = z.object({ endpoint: z.array(z.string()).nullish() }).nullish();
  return z.object({ mirrors: z.record(z.string(), mirror).nullish() }).nullish();
}

function doubted(doubt: string): Registries {
  return { mirrors: [], doubts: [doubt] };
}
