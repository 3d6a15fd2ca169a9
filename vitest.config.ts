import { defineConfig } from 'vitest/config';

const shared = { environment: 'node' } as const;

/** Where scripts/test wants the results of this run, to add up those of all. */
const resultsFile = process.env['TEST_RESULTS'];

export default defineConfig({
  test: {
    reporters: resultsFile ? ['default', ['json', { outputFile: resultsFile }]] : ['default'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**'],
          testTimeout: 20_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...shared,
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          exclude: ['test/lab/**/*.long.test.ts'],
          // Each file has namespaces of its own, and waits more than it works: two side by side take half the
          // time, and each a little longer.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'long',
          include: ['test/lab/**/*.long.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
