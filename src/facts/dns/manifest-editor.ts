import type { Fact } from '../../engine/fact.ts';
import { packagedFact } from './packaged.ts';

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
