import { hidePassword } from './secrets.ts';

/**
 * What may be shown of a file that says harmless things beside secrets: of k3s' configuration and of its
 * units only what is known to be no secret (tokens and passwords of datastores stand there). Others stay.
 */
export function withoutSecretLines(path: string, text: string): string {
  if (/^\/etc\/rancher\/k3s\/config\.yaml(\.d\/|$)/.test(path)) return harmlessKeys(text, harmless);
  if (path === '/etc/rancher/k3s/registries.yaml') return hidePassword(harmlessKeys(text, ['mirrors']));
  if (/^\/etc\/systemd\/system\/[^/]+\.service$/.test(path)) return harmlessFlags(text);
  return text;
}

const harmless = [
  'resolv-conf',
  'kubelet-arg',
  'disable',
  'config',
  'c',
  'server',
  's',
  'system-default-registry',
];

/** With all that belongs to them. What is no key in the first column is not understood, and left out. */
function harmlessKeys(yaml: string, harmless: readonly string[]): string {
  let isKept = false;
  const kept = yaml.split('\n').filter((line) => {
    if (/^\s*#/.test(line)) return false;
    if (/^([\s-]|$)/.test(line)) return isKept;
    const key = /^["']?([\w-]+)\+?["']?\s*:(\s|$)/.exec(line)?.[1] ?? '';
    isKept = harmless.includes(key);
    return isKept;
  });
  return kept.map((line) => `${line}\n`).join('');
}

function harmlessFlags(unit: string): string {
  const lines = unit.replace(/\\\n/g, ' ').match(/^ExecStart=.*$/gm) ?? [];
  return lines.map((line) => `ExecStart=${harmlessWords(line.slice('ExecStart='.length))}\n`).join('');
}

function harmlessWords(commandLine: string): string {
  const words = commandLine.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? [];
  const kept = words.filter((word, index) => {
    if (index === 0 || word === 'server' || word === 'agent') return true;
    return isHarmless(word) || (/^['"]?[^-'"]/.test(word) && isFlagAlone(words[index - 1] ?? ''));
  });
  return kept.join(' ');
}

function isHarmless(word: string): boolean {
  return harmless.includes(/^['"]?--?([a-z-]+)/.exec(word)?.[1] ?? '');
}

/** Its value is the next word. */
function isFlagAlone(word: string): boolean {
  return isHarmless(word) && !word.includes('=');
}
