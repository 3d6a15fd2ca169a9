import { loadChecks } from '../checks/registry.ts';
import { print } from './print.ts';

export async function listCommand({ format }: { readonly format: 'text' | 'json' }): Promise<number> {
  const rows = (await loadChecks()).map(({ id, title, why, severity }) => ({ id, title, why, severity }));
  if (format === 'json') await print(`${JSON.stringify(rows, null, 2)}\n`);
  else await print(rows.map(({ id, why }) => `${id}\n  ${why}\n`).join(''));
  return 0;
}
