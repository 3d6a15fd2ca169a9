/** conditions/: what a wait waits for, each looked at once. None of them changes anything. */
export type Seen =
  | { readonly kind: 'holds' }
  | {
      readonly kind: 'not-yet';
      /** In one line what is the case instead, or why it could not be looked at. */
      readonly seen: string;
      /** More of the same, for when nobody waits any longer: it costs further questions. */
      readonly explain?: () => Promise<string>;
    }
  /** Waiting longer is of no use. */
  | { readonly kind: 'never'; readonly seen: string };

export const holds: Seen = { kind: 'holds' };

export function notYet(seen: string): Seen {
  return { kind: 'not-yet', seen };
}
