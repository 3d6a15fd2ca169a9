import type { Fact } from '../../engine/fact.ts';
import { packagedFact } from './packaged.ts';
import type { ManifestEditor } from './pin-manifest.ts';

/** Undefined where no manifest of ours is asked for, so that nobody waits for a parser of YAML in vain. */
export const manifestEditorFact: Fact<ManifestEditor | undefined> = {
  id: 'manifest-editor',
  async gather({ config, get }) {
    if (config.checks['coredns-placement'].persist !== 'skip-file') return undefined;
    const { isServer, manifest } = await get(packagedFact);
    if (!isServer || manifest === undefined) return undefined;
    const { pinManifest } = await import('./pin-manifest.ts');
    return pinManifest;
  },
};
