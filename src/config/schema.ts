import { normalize } from 'node:path';
import { z } from 'zod';
import { tools } from '../host/tools.ts';
import { type CheckId, defaultConfig, overlayProfiles } from './config.ts';

/**
 * What may be in the file; unknown keys are refused. The message of an issue is what was expected,
 * in words that follow "expected"; that of `unrecognized_keys` is the known keys, joined by spaces.
 * Whoever knows cron is handed in, as a library has to be loaded for it.
 */
export function configSchema(isCronExpression: (text: string) => boolean) {
  const { paths, guards, schedule, history, commandTimeoutMs, checks } = defaultConfig();
  const { breaker, probes } = guards;
  return section({
    paths: section({
      state: absolutePath().default(paths.state),
      run: absolutePath().default(paths.run),
      k3sData: absolutePath().default(paths.k3sData),
      k3sRun: absolutePath().default(paths.k3sRun),
      ipam: absolutePath().default(paths.ipam),
    }),
    commands: orEmpty(z.partialRecord(z.enum(tools), commandLine(), { error: mappingError(tools) })),
    kubeconfig: absolutePath().exactOptional(),
    guards: section({
      maxChanges: wholeNumber({ min: 1 }).default(guards.maxChanges),
      strikes: wholeNumber({ min: 1, max: 100 }).default(guards.strikes),
      cooldownMinutes: wholeNumber({ min: 0, max: monthMinutes }).default(guards.cooldownMinutes),
      attempts: wholeNumber({ min: 1, max: 100 }).default(guards.attempts),
      breaker: section({
        failures: wholeNumber({ min: 1, max: 100 }).default(breaker.failures),
        minutes: wholeNumber({ min: 1, max: monthMinutes }).default(breaker.minutes),
      }),
      confirmSeconds: wholeNumber({ min: 30, max: 3600 }).default(guards.confirmSeconds),
      probes: section({
        api: yesOrNo().default(probes.api),
        ssh: yesOrNo().default(probes.ssh),
        dns: yesOrNo().default(probes.dns),
        peer: yesOrNo().default(probes.peer),
      }),
      adminNetworks: z.array(network(), 'a list of networks').readonly().default(guards.adminNetworks),
    }),
    schedule: section({
      jitterSeconds: wholeNumber({ min: 0, max: 3600 }).default(schedule.jitterSeconds),
      runs: z
        .array(scheduledRun(isCronExpression), 'a list of runs')
        .min(1, 'at least one run')
        .readonly()
        .default(schedule.runs),
    }),
    history: section({
      runs: wholeNumber({ min: 1, max: 100_000 }).default(history.runs),
      megabytes: wholeNumber({ min: 1, max: 1_000_000 }).default(history.megabytes),
    }),
    commandTimeoutMs: wholeNumber({ min: 1000, max: 600_000 }).default(commandTimeoutMs),
    checks: section({
      'iptables-ghosts': section({
        ...checkSettings('iptables-ghosts'),
        networks: z
          .array(networkName(), 'a list of network names')
          .min(1, 'at least one network name')
          .exactOptional(),
        probe: yesOrNo().default(checks['iptables-ghosts'].probe),
      }),
      'forward-rules': section(checkSettings('forward-rules')),
      'ufw-overlay': section({
        ...checkSettings('ufw-overlay'),
        profiles: z
          .array(z.enum(overlayProfiles, `one of ${overlayProfiles.join(', ')}`), 'a list of profiles')
          .readonly()
          .default(checks['ufw-overlay'].profiles),
        peers: z.array(address(), 'a list of addresses').readonly().default(checks['ufw-overlay'].peers),
        prune: yesOrNo().default(checks['ufw-overlay'].prune),
      }),
      'world-open': section(checkSettings('world-open')),
      'flannel-vtep': section({
        ...checkSettings('flannel-vtep'),
        probe: yesOrNo().default(checks['flannel-vtep'].probe),
      }),
      'essential-flows': section(checkSettings('essential-flows')),
      'coredns-placement': placementSettings(),
      'dns-forwarders': forwarderSettings(),
      'coredns-health': section(checkSettings('coredns-health')),
      'host-dns': section({
        ...checkSettings('host-dns'),
        names: z.array(domainName(), 'a list of names').readonly().default(checks['host-dns'].names),
      }),
    }),
  });
}

const monthMinutes = 31 * 24 * 60;

function placementSettings() {
  const defaults = defaultConfig().checks['coredns-placement'];
  const persist = ['reassert', 'skip-file'] as const;
  const labels = 'a mapping of labels to values';
  return section({
    ...checkSettings('coredns-placement'),
    nodes: z.array(domainName(), 'a list of names of nodes').readonly().default(defaults.nodes),
    selector: orEmpty(z.record(z.string().min(1, labels), z.string(labels), labels)),
    persist: z.enum(persist, persist.join(' or ')).default(defaults.persist),
    rolloutSeconds: wholeNumber({ min: 10, max: 3600 }).default(defaults.rolloutSeconds),
  });
}

function forwarderSettings() {
  const defaults = defaultConfig().checks['dns-forwarders'];
  const addresses = z.array(address(), 'a list of addresses').readonly();
  return section({
    ...checkSettings('dns-forwarders'),
    candidates: addresses.default(defaults.candidates),
    // One more provider does not take the others away; an empty list does.
    providers: orEmpty(
      z.record(z.string(), addresses, 'a mapping of providers to lists of addresses'),
    ).transform((given) => ({ ...defaults.providers, ...given })),
    name: domainName().default(defaults.name),
    slowMs: wholeNumber({ min: 1, max: 60_000 }).default(defaults.slowMs),
    reloadSeconds: wholeNumber({ min: 10, max: 3600 }).default(defaults.reloadSeconds),
  });
}

function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return orEmpty(mapping(shape));
}

function mapping<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, { error: mappingError(Object.keys(shape)) });
}

/** What every check has. */
function checkSettings(id: CheckId) {
  return {
    mode: z.enum(['off', 'report', 'fix'], 'off, report or fix').default(defaultConfig().checks[id].mode),
    maxChanges: wholeNumber({ min: 1 }).exactOptional(),
  };
}

function scheduledRun(isCronExpression: (text: string) => boolean) {
  const cron = 'a cron expression like "*/5 * * * *" (minute, hour, day of month, month, day of week)';
  return mapping({
    cron: z.string(cron).refine(isCronExpression, cron),
    verb: z.enum(['check', 'fix'], 'check or fix'),
    checks: z.array(checkId(), 'a list of checks').min(1, 'at least one check').readonly().exactOptional(),
  });
}

function checkId() {
  const { checks } = defaultConfig();
  const isCheckId = (value: unknown): value is CheckId =>
    typeof value === 'string' && Object.hasOwn(checks, value);
  return z.custom<CheckId>(isCheckId, `a check (${Object.keys(checks).join(', ')})`);
}

/** A section whose every line is commented out is null in YAML; it counts as left out. */
function orEmpty<S extends z.ZodType>(schema: S) {
  return z.preprocess((value) => (value === null ? {} : value), schema).prefault({});
}

function mappingError(knownKeys: readonly string[]) {
  return (issue: { code?: string }) =>
    issue.code === 'unrecognized_keys' ? knownKeys.join(' ') : 'a mapping of keys to values';
}

function yesOrNo() {
  return z.boolean('true or false');
}

function absolutePath() {
  return z
    .custom<string>(isAbsolutePath, 'an absolute path')
    .transform((path) => normalize(path).replace(/(?<=.)\/$/, ''));
}

function commandLine() {
  return z
    .custom<string | readonly string[]>(
      isCommandLine,
      'an absolute path, or a list of words that begins with one',
    )
    .transform((command) => (typeof command === 'string' ? [command] : command));
}

function wholeNumber({ min, max }: { min: number; max?: number }) {
  const expected =
    max === undefined ? `a whole number above ${min - 1}` : `a whole number from ${min} to ${max}`;
  return z
    .int(expected)
    .min(min, expected)
    .max(max ?? Number.MAX_SAFE_INTEGER, expected);
}

/** A name that CNI accepts; it also names a folder below paths.ipam. */
function networkName() {
  const expected = 'a network name (letters, digits and _.- after a letter or digit)';
  return z.string(expected).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, expected);
}

/** Also the name of a node. The root is `.`. */
function domainName() {
  const expected = 'a name like registry.example.org';
  return z
    .string(expected)
    .max(253, expected)
    .regex(/^(\.|(?!-)[\w-]{1,63}(\.(?!-)[\w-]{1,63})*\.?)$/, expected);
}

function address() {
  return z.union([z.ipv4(), z.ipv6()], 'an IPv4 or IPv6 address');
}

function network() {
  return z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'an address or a network like 192.0.2.0/24');
}

function isAbsolutePath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.includes('\0');
}

function isCommandLine(value: unknown): value is string | readonly string[] {
  if (!Array.isArray(value)) return isAbsolutePath(value);
  return isAbsolutePath(value[0]) && value.every((word) => typeof word === 'string' && !word.includes('\0'));
}
