/** Where programs are looked for. The caller's own PATH is never used: a unit, cron and a shell must agree. */
export const pinnedPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** All that a program gets of an environment; only this product itself gets more (`Host.selfEnvironment`). */
export const pinnedEnvironment = { LC_ALL: 'C', PATH: pinnedPath, HOME: '/root' } as const;
