import { wouldBeAsked } from '../../coredns/forwards.ts';
import type { Step } from '../../engine/step.ts';
import { ownOverridePath } from '../../facts/dns/corefile.ts';
import { ownManifestName } from '../../facts/dns/packaged.ts';
import type { EditedManifest } from '../../facts/dns/pin-manifest.ts';
import { isAnswered } from '../../facts/dns/server-answer.ts';
import type { Pin } from './pin.ts';
import type { Seen } from './seen.ts';

/** What `persist: skip-file` comes to on this node. */
export type Lasting =
  /** It is not asked for, or not for this node: a k3s server that starts may take the pin away. */
  | { readonly kind: 'not-asked' }
  /** k3s leaves its manifest alone already. */
  | { readonly kind: 'done' }
  | { readonly kind: 'files'; readonly steps: readonly Step[] }
  /** `later`: a run that comes after this one can. */
  | { readonly kind: 'later' | 'blocked'; readonly reason: string };

export const skipName = 'coredns.yaml.skip';

/**
 * The manifest is k3s' own and the pin: its Corefile is applied with it. So it is written only while the
 * live one is the same, or what was changed there would be gone within a minute.
 */
export function lastingOf(seen: Seen, pin: Pin): Lasting {
  const { packaged, editor, settings, coreDns } = seen;
  if (settings.persist !== 'skip-file' || !packaged.isServer || packaged.isDisabled)
    return { kind: 'not-asked' };
  const { ownManifest, manifest, isSkipped } = packaged;
  // Whoever keeps k3s from its manifest and has none of ours keeps CoreDNS himself.
  if (isSkipped && ownManifest === null) return { kind: 'done' };
  if (editor === undefined || manifest === undefined)
    return { kind: 'blocked', reason: `there is no ${packaged.folder}/coredns.yaml to be pinned` };
  const own = ownManifest === null ? undefined : editor(ownManifest, pin);
  const isPinned = own?.kind === 'edited' && own.text === ownManifest;
  if (isSkipped && isPinned) return { kind: 'done' };
  const content = isPinned ? ownManifest : madeOf(seen, editor(manifest, pin));
  if (typeof content !== 'string')
    return { kind: 'blocked', reason: `${packaged.folder}/coredns.yaml: ${content.reason}` };
  if (coreDns.config.kind !== 'known' || coreDns.config.value.data['Corefile'] !== packaged.corefile) {
    return {
      kind: 'blocked',
      reason: `the live Corefile is not the one in ${packaged.folder}/coredns.yaml, which would be put in its place`,
    };
  }
  if (mayChangeCorefile(seen)) {
    return {
      kind: 'later',
      reason: 'files are written by the next run: dns-forwarders may have to change the Corefile first',
    };
  }
  return {
    kind: 'files',
    steps: [
      ...(isSkipped ? [] : [file(seen, skipName, null, skipText)]),
      ...(content === ownManifest ? [] : [file(seen, ownManifestName, ownManifest, content)]),
    ],
  };
}

const skipText =
  '# k3s leaves coredns.yaml alone while this is here: coredns-k3s-doctor.yaml takes its place.\n';

/** Where its own key in coredns-custom would not be asked, it changes the Corefile in the same run. */
function mayChangeCorefile({ corefile, answers }: Seen): boolean {
  const resolves = [...answers.world.values()].some(({ byProtocol }) =>
    Object.values(byProtocol).some(isAnswered),
  );
  if (resolves || corefile.kind !== 'read') return false;
  return !wouldBeAsked(corefile.corefile, corefile.files, ownOverridePath);
}

function file({ packaged }: Seen, name: string, basedOn: string | null, content: string): Step {
  return { kind: 'file-write', path: `${packaged.folder}/${name}`, content, basedOn, mode: 0o600 };
}

function madeOf(seen: Seen, edited: EditedManifest): string | (EditedManifest & { readonly kind: 'unfit' }) {
  if (edited.kind === 'unfit') return edited;
  const from = manifestVersion(seen);
  const head = [
    `# Written by k3s-doctor (check coredns-placement): coredns.yaml of k3s ${from ?? '(unknown version)'} with a pin.`,
    `# In force while ${skipName} is here. When k3s is upgraded this stays as it is; when the pin changes it is written anew.`,
    '',
  ];
  return head.join('\n') + edited.text;
}

/** Of k3s, whose manifest it is: the one that runs, unless k3s had been told before to leave it alone. */
function manifestVersion({ packaged, nodes }: Seen): string | undefined {
  return packaged.isSkipped ? versionIn(packaged.ownManifest ?? '') : nodes.self?.version;
}

export function versionIn(ownManifest: string): string | undefined {
  return /^# Written by k3s-doctor .* of k3s (v\S+) with a pin\.$/m.exec(ownManifest)?.[1];
}
