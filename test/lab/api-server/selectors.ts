import { isRecord, type KubeObject } from './resource.ts';

/** Whether an object is in a list that is asked for with selectors. */
export function isSelected(object: KubeObject, query: URLSearchParams): boolean {
  return (
    terms(query.get('fieldSelector')).every((term) => matchesField(object, term)) &&
    terms(query.get('labelSelector')).every((term) => matchesLabel(object.metadata.labels ?? {}, term))
  );
}

/** Commas between parentheses are part of a set. */
function terms(selector: string | null): readonly string[] {
  return (selector ?? '')
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

const comparison = /^([^!=\s]+)\s*(!=|==?)\s*(.*)$/;

function matchesField(object: KubeObject, term: string): boolean {
  const [, path = '', operator, value] = comparison.exec(term) ?? [];
  const found = path.split('.').reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), object);
  return (String(found ?? '') === value) === (operator !== '!=');
}

function matchesLabel(labels: Readonly<Record<string, string>>, term: string): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const found = labels[key];
    const isIn = found !== undefined && values.split(',').some((value) => value.trim() === found);
    return isIn === (operator === 'in');
  }
  const compared = comparison.exec(term);
  if (compared !== null) {
    const [, key = '', operator, value] = compared;
    return (labels[key] === value) === (operator !== '!=');
  }
  return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[term] !== undefined;
}
