// Argument: the values that the command line takes, read strictly. A value that is not understood is refused with
// the text that mends it; nothing is guessed or clamped.

import { InvalidArgumentError } from "commander";
import { CPUS_MAX } from "../abi/layout.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1000],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** What a timer of the host can wait for at most. */
const MILLISECONDS_MAX = 2 ** 31 - 1;

/** `90s`, `500ms`, `2m`, `1h`, or plain seconds: milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
  const milliseconds = Number(match?.[1]) * (UNITS.get(match?.[2] ?? "") ?? Number.NaN);
  if (!(milliseconds >= 1 && milliseconds <= MILLISECONDS_MAX)) {
    throw new InvalidArgumentError("Give a time above zero with its unit, such as 90s, 500ms or 2m.");
  }
  return Math.round(milliseconds);
}

/** `2` or `1,2,4`: numbers of harts in the order given, each from 1 to CPUS_MAX. */
export function parseHartCounts(text: string): number[] {
  return text.split(",").map((part) => parseHartCount(part));
}

/** A number of harts, from 1 to CPUS_MAX. */
export function parseHartCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > CPUS_MAX) {
    throw new InvalidArgumentError(`"${text}" is no number of harts: the kernel runs on 1 to ${CPUS_MAX}.`);
  }
  return count;
}

/** A seed: a whole number that fits 32 bits. */
export function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seed <= 0xffffffff)) throw new InvalidArgumentError("Give a whole number from 0 to 4294967295.");
  return seed;
}

/** How many: at least one. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || !Number.isSafeInteger(count)) throw new InvalidArgumentError("Give a whole number of at least 1.");
  return count;
}

/** A whole number, zero included. */
export function parseWhole(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("Give a whole number, such as 0 or 3.");
  return value;
}

/** `512M`, `4G`, `64KiB`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+)([KMG])(iB|B)?$/.exec(text);
  const bytes = Number(match?.[1]) * 2 ** (10 * (1 + "KMG".indexOf(match?.[2] ?? "")));
  if (!(bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError("Give a size with its unit, such as 512M or 4G.");
  }
  return bytes;
}
