/**
 * A unit with an absolute command line in the place of `k3s-doctor`, which systemd would look for in
 * its own search path.
 */
export function nameProgram(unit: string, [program = '', ...args]: readonly string[]): string {
  // In arguments systemd replaces variables, in the name of the program it does not.
  const words = [quote(program), ...args.map((arg) => quote(arg).replaceAll('$', '$$$$'))];
  return unit.replace(
    /^(Exec\w+=[-@:+!]*)k3s-doctor(?=\s|$)/gm,
    (_, before) => `${before}${words.join(' ')}`,
  );
}

function quote(word: string): string {
  const escaped = word
    .replaceAll('%', '%%')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
  return /^[\w./:@%+=,$-]+$/.test(word) ? escaped : `"${escaped}"`;
}
