import type { Place } from './create-place.ts';

/** What a file that is put on the node looks like. */
export interface FileSpec {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Octal. */
  readonly mode: string;
}

/**
 * Writes a file on the node, with the folders above it. It is moved into place: who runs or reads the
 * old one at that moment goes on with the old one.
 */
export async function writeFile(node: Place, { path, content, mode }: FileSpec): Promise<void> {
  await node.run(['sh', '-ec', script, path, mode], { input: content });
}

const script = `
mkdir -p "\${0%/*}"
cat >"$0.new"
chmod "$1" "$0.new"
mv -f "$0.new" "$0"
`;
