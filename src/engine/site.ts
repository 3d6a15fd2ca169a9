import type { Config } from '../config/config.ts';
import type { Host } from '../host/host.ts';

/** Where a run takes place, and how another process of this product is started with the same settings. */
export interface Site {
  readonly host: Host;
  readonly config: Config;
  /** `--config FILE` and the like. */
  readonly selfArgs: readonly string[];
}
