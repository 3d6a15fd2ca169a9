interface ZonePlace {
  readonly zone: string;
  /** `deny`, `allow`, ...: one of its chains for single rules; undefined: the one that says what holds otherwise. */
  readonly part: string | undefined;
}

/** Which zone a chain of firewalld's with incoming packets belongs to: `filter_IN_public_deny`. */
export function zoneOf(chain: string): ZonePlace | undefined {
  const [, zone, part] = /^filter_IN_(?!policy_)(.+?)(?:_(pre|log|deny|allow|post))?$/.exec(chain) ?? [];
  return zone === undefined ? undefined : { zone, part };
}
