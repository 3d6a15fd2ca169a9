import { DoctorError } from '../doctor-error.ts';

/**
 * A unit with an absolute command line in the place of `k3s-doctor`, which systemd would look for in
 * its own search path. Throws DoctorError `usage` for a program that systemd would refuse.
 */
export function nameProgram(unit: string, [program = '', ...args]: readonly string[]): string {
  if (/["'\\\p{Cc}]/u.test(program)) {
    throw new DoctorError(
      'usage',
      `systemd starts no program with quotes or backslashes in its path: ${program}`,
      {
        hint: 'install k3s-doctor or Node elsewhere',
      },
    );
  }
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
