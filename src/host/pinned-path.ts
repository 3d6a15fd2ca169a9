/** Where programs are looked for. The caller's own PATH is never used: a unit, cron and a shell must agree. */
export const pinnedPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
