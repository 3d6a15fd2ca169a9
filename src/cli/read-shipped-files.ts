import { access, constants, readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import type { Host } from '../host/host.ts';
import { pinnedPath } from '../host/pinned-environment.ts';
import { nameProgram } from '../install/name-program.ts';
import { exampleFile, type ShippedFile, unitNames } from '../install/units.ts';

/** The files that an install puts on a node, from this installation of the product. */
export async function readShippedFiles(unitFolder: string, host: Host): Promise<readonly ShippedFile[]> {
  const program = host.locate('k3s-doctor') ?? [];
  const isFound = await isFoundBySystemd(program);
  const units = unitNames.map(async (name) => {
    const text = await readShipped(`units/${name}`);
    return { path: resolve(unitFolder, name), content: isFound ? text : nameProgram(text, program) };
  });
  const example = { path: exampleFile, content: await readShipped('docs/config.example.yaml') };
  return [...(await Promise.all(units)), example];
}

/** Whether `k3s-doctor`, where systemd looks for programs, is this very installation, and can be run. */
async function isFoundBySystemd(program: readonly string[]): Promise<boolean> {
  const [found, ours] = await Promise.all([
    findProgram('k3s-doctor'),
    realpath(program.at(-1) ?? '').catch(() => ''),
  ]);
  if (found === undefined || found !== ours) return false;
  // A script is started by whatever Node is there.
  return program.length === 1 || (await findProgram('node')) !== undefined;
}

/** systemd's own search path is the same as ours. */
async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of pinnedPath.split(':')) {
    const path = `${folder}/${name}`;
    const isProgram = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isProgram) return realpath(path);
  }
  return undefined;
}

/** Beside the bundle, or beside the sources. */
async function readShipped(name: string): Promise<string> {
  for (const root of ['../', '../../']) {
    const text = await readFile(new URL(`${root}${name}`, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new DoctorError('undetermined', `${name} is missing from this installation`, {
    hint: 'install the package again',
  });
}
