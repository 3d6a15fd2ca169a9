/**
 * Whether a path of the API names a collection, so that it can be read in pages:
 * `/api/v1/RESOURCE`, `/apis/GROUP/VERSION/RESOURCE`, either with `namespaces/NAME/` before RESOURCE.
 * A path with a query of its own is left to its author.
 */
export function isListPath(path: string): boolean {
  const match = /^\/(?:api\/[^/?]+|apis\/[^/?]+\/[^/?]+)\/(?:namespaces\/[^/?]+\/)?([^/?]+)$/.exec(path);
  return match !== null;
}
