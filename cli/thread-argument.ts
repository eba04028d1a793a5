// Thread argument: `--thread FUNCTION[:1,0x10,-2]`, read and formatted again.

import { InvalidArgumentError } from "commander";
import type { ThreadSpec } from "../explore/program/target.ts";

/** Integers up to 64 bits; those that no JavaScript number holds stay text. */
export function parseThread(text: string): ThreadSpec {
  const [name = "", ...rest] = text.split(":");
  const list = rest.join(":");
  if (name === "") throw new InvalidArgumentError("Name an exported function, as in worker or worker:1,2.");
  return { function: name, args: list === "" ? [] : list.split(",").map(parseInteger) };
}

/** One more thread, in the order given. */
export function addThread(text: string, threads: readonly ThreadSpec[] | undefined): readonly ThreadSpec[] {
  return [...(threads ?? []), parseThread(text)];
}

export function formatThread({ function: name, args }: ThreadSpec): string {
  return args === undefined || args.length === 0 ? name : `${name}:${args.join(",")}`;
}

function parseInteger(word: string): number | string {
  if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(word)) {
    throw new InvalidArgumentError(`"${word}" is not an integer; write FUNCTION:1,2.`);
  }
  const value = word.startsWith("-") ? -BigInt(word.slice(1)) : BigInt(word);
  if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    throw new InvalidArgumentError(`"${word}" does not fit 64 bits.`);
  }
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
