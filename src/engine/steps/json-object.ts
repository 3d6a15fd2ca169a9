export type JsonObject = Readonly<Record<string, unknown>>;

/** In ASCII alone: a backup is written byte by byte. */
export function printObject(value: object): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value, undefined, 1).replace(/[\u007f-\uffff]/g, toEscape)}\n`;
}

/** Undefined when the text is something else, or damaged. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
