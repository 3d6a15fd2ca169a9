import { type Forward, withUpstreams } from '../../coredns/forwards.ts';
import { isAtLeast } from '../../coredns/version.ts';
import { listed } from '../../engine/listed.ts';
import type { CoreDnsBefore, Step, WaitStep } from '../../engine/step.ts';
import { isAlive, versionOf } from '../../facts/dns/coredns.ts';
import { ownOverrideKey, type ReadCorefile } from '../../facts/dns/corefile.ts';
import type { Place } from './corefile-place.ts';
import { planLasting } from './lasting.ts';
import { type Seen, settingsOf } from './seen.ts';
import { placeOf, sampleLine, targetsOf } from './words.ts';

interface Wanted {
  readonly place: Exclude<Place, { readonly kind: 'nowhere' }>;
  readonly servers: readonly string[];
  /** Where CoreDNS answers, once it has loaded it. */
  readonly askAt: readonly string[];
}

interface Planned {
  readonly steps: readonly Step[];
  /** How long it lasts, where that has to be said; begins with `; `. */
  readonly lasting: string;
}

/** The change, the proof that CoreDNS has taken it and that it helps; last what makes it outlast k3s' next start. */
export function planSteps(seen: Seen, live: ReadCorefile, { place, servers, askAt }: Wanted): Planned {
  const proof = [...waitForReload(seen), waitForAnswers(seen, askAt)];
  if (place.kind === 'override') {
    const step: Step = {
      kind: 'config-map-key',
      namespace: 'kube-system',
      name: 'coredns-custom',
      key: ownOverrideKey,
      was: place.was,
      value: overrideText(live, place.forward, servers),
    };
    return { steps: [step, ...proof], lasting: '' };
  }
  const { steps, words } = planLasting(seen, servers);
  return {
    steps: [...patchCorefile(seen, live, place.forward, servers), ...proof, ...steps],
    lasting: words,
  };
}

function patchCorefile(
  { coreDns: { config } }: Seen,
  { corefile }: ReadCorefile,
  forward: Forward,
  servers: readonly string[],
): readonly Step[] {
  if (config.kind !== 'known') return [];
  return [
    {
      kind: 'kube-patch',
      title: `${placeOf(forward)}: ${sampleLine(servers)} in place of ${targetsOf(forward)}`,
      object: config.value.path,
      fields: [
        {
          pointer: '/data/Corefile',
          was: corefile.text,
          value: withUpstreams(corefile, forward, servers),
        },
      ],
    },
  ];
}

/** What the forward that it takes the place of says besides servers still holds. */
function overrideText(
  { corefile, files }: ReadCorefile,
  forward: Forward,
  servers: readonly string[],
): string {
  const text = forward.file === undefined ? corefile.text : (files.get(forward.file) ?? '');
  const options = forward.options.map(({ start, end }) => `    ${text.slice(start, end)}\n`);
  const body = options.length > 0 ? ` {\n${options.join('')}}` : '';
  return `# k3s-doctor: these servers answered when those before them did not.\n${sampleLine(servers)}${body}\n`;
}

function waitForReload(seen: Seen): readonly WaitStep[] {
  const { coreDns, metrics } = seen;
  const living = coreDns.pods.kind === 'known' ? coreDns.pods.value.filter(isAlive) : [];
  // None is told before the first reload; and before 1.9.1 one of another kind, which is not waited for.
  const tellsHash = isAtLeast(versionOf(coreDns), [1, 9, 1]);
  const pods = living.flatMap(({ name, address, containerId }): CoreDnsBefore[] => {
    const read = address === undefined ? undefined : metrics.get(address);
    if (address === undefined || read?.kind !== 'read') return [];
    const { configHash, reloadsFailed } = read.metrics;
    if (configHash === undefined && !tellsHash) return [];
    return [
      {
        ...{ name, address, hashWas: configHash ?? '', failedWas: reloadsFailed ?? 0 },
        ...(read.port !== undefined && { metricsPort: read.port }),
        ...(containerId !== undefined && { containerWas: containerId }),
      },
    ];
  });
  if (pods.length === 0) return [];
  return [
    {
      kind: 'wait',
      title: `${listed(pods.map(({ name }) => `pod ${name}`))} ${pods.length === 1 ? 'has' : 'have'} loaded it`,
      until: { kind: 'coredns-reloaded', pods },
      deadlineMs: settingsOf(seen).reloadSeconds * 1_000,
      // Right after an undo it still runs the very configuration that it is given again: nothing to be seen.
      orGoOn: true,
    },
  ];
}

function waitForAnswers(seen: Seen, askAt: readonly string[]): WaitStep {
  const { name, reloadSeconds } = settingsOf(seen);
  return {
    kind: 'wait',
    title: `CoreDNS at ${listed(askAt)} resolves ${name}`,
    until: {
      kind: 'dns-answers',
      questions: askAt.map((server) => ({ server, protocol: 'udp', name, type: 'A', timeoutMs: 3_000 })),
      orNoSuchName: true,
    },
    deadlineMs: reloadSeconds * 1_000,
  };
}
