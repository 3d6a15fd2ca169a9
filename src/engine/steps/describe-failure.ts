import type { CommandResult } from '../../host/host.ts';

/** Why a program did not do what it was to do, in one line. */
export function describeFailure(result: CommandResult): string {
  switch (result.kind) {
    case 'exited': {
      const [said = ''] = result.stderr.trim().split('\n');
      return `exit code ${result.exitCode}${said === '' ? '' : `: ${said.slice(0, 300)}`}`;
    }
    case 'timeout':
      return `it did not end within ${result.timeoutMs / 1000} s and was killed`;
    case 'absent':
      return `there is no such program (looked for ${result.looked.join(', ')})`;
    case 'failed-to-start':
      return result.reason;
  }
}
