/** Loaded before the product: while /run/lab/shifted is there, the clock is an hour behind. */
import { existsSync } from 'node:fs';

const RealDate = globalThis.Date;

globalThis.Date = class extends RealDate {
  constructor(...args: readonly (number | string | Date)[]) {
    const [value = shiftedNow()] = args;
    super(value);
  }

  static override now(): number {
    return shiftedNow();
  }
} as DateConstructor;

function shiftedNow(): number {
  return RealDate.now() - (existsSync('/run/lab/shifted') ? 3_600_000 : 0);
}
