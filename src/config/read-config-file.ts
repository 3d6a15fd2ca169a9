import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import { describeSystemError, systemErrorCode } from '../host/system-error.ts';

const maxBytes = 1024 * 1024;

/**
 * The text of a configuration file, undefined when there is none. The file names programs that run
 * as root, so nobody but root may be able to change it, or to put another one in its place.
 * Throws DoctorError `config`.
 */
export function readConfigFile(path: string): string | undefined {
  try {
    const real = findFile(path);
    return real === undefined ? undefined : readGuarded(path, real);
  } catch (error) {
    const code = systemErrorCode(error);
    if (error instanceof DoctorError || code === undefined) throw error;
    throw new DoctorError('config', `${path}: cannot be read: ${describeSystemError(error)}`, {
      ...(code === 'EACCES' ? { hint: 'run as root' } : {}),
      cause: error,
    });
  }
}

/** The file behind symbolic links. */
function findFile(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    throw new DoctorError('config', `${path}: is a symbolic link to a file that does not exist`);
  }
}

function readGuarded(path: string, real: string): string {
  // The look before opening keeps devices and pipes untouched; the look after it is the one that counts.
  refuseIrregular(path, statSync(real));
  const descriptor = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(descriptor);
    refuseIrregular(path, stats);
    refuseForeignHands(real, stats);
    for (const directory of new Set([dirname(real), dirname(path)])) {
      refuseForeignHands(directory, statSync(directory));
    }
    if (stats.size > maxBytes) {
      throw new DoctorError('config', `${path}: is ${stats.size} bytes long, expected at most ${maxBytes}`);
    }
    return decode(path, readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function refuseIrregular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const found = stats.isDirectory() ? 'a directory' : 'something else';
  throw new DoctorError('config', `${path}: expected a regular file, found ${found}`);
}

function refuseForeignHands(path: string, stats: Stats): void {
  if (stats.uid !== 0) {
    throw new DoctorError('config', `${path}: belongs to user ${stats.uid}, expected root`, {
      hint: `look at what it says, then: chown root:root ${path}`,
    });
  }
  if ((stats.mode & 0o022) === 0 || isSticky(stats)) return;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  const who = (stats.mode & 0o002) === 0 ? 'its group' : 'everybody';
  throw new DoctorError(
    'config',
    `${path}: may be written by ${who} (mode ${mode}), expected by root alone`,
    { hint: `look at what it says, then: chmod go-w ${path}` },
  );
}

/** In a folder like /tmp others may add files, but neither rename nor replace root's. */
function isSticky(stats: Stats): boolean {
  return stats.isDirectory() && (stats.mode & 0o1000) !== 0;
}

function decode(path: string, bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    const line = bytes.subarray(0, nul).toString('latin1').split('\n').length;
    throw new DoctorError('config', `${path}:${line}: expected UTF-8 text, found a NUL byte`, {
      hint: 'an editor may have saved it as UTF-16',
    });
  }
  if (!isUtf8(bytes)) {
    const lines = bytes.toString('latin1').split('\n');
    const line = 1 + lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1')));
    throw new DoctorError('config', `${path}:${line}: expected UTF-8 text, found bytes of another encoding`);
  }
  return bytes.toString('utf8').replace(/^\u{feff}/u, '');
}
