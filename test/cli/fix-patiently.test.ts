import { expect, test } from 'vitest';
import { fixPatiently } from '../../src/cli/fix-patiently.ts';

test('patience is for units alone: a person looks again when he likes', async () => {
  const options = { format: 'text', failOn: 'error', color: false, logLevel: 'silent' } as const;
  await expect(fixPatiently([], { ...options, yes: true }, 40)).rejects.toMatchObject({
    code: 'usage',
    message: '--patience goes with --unattended alone',
  });
});
