// Entry list: the functions that a search enters, each with its arguments: threads first, then what runs before them, then
// the checks.
//
// Invariant: a thread's number is its index in the list.
// Pairs with: target.ts, which names them; instrument.ts, which makes an export for each; program.ts, which calls them.

import type { ExplorableModule } from "../instrument/explorable.ts";
import type { Entry } from "../instrument/instrument-options.ts";
import { findConstructors } from "../instrument/start-up.ts";
import { exportedFunction } from "./module-checks.ts";
import type { Target } from "./target.ts";
import { UnusableModule } from "./unusable-module.ts";

export interface EntryList {
  readonly entries: readonly Entry[];
  /** Indices into entries. */
  readonly start: number | undefined;
  readonly constructors: readonly number[];
  readonly init: number | undefined;
  readonly invariant: number | undefined;
  readonly final: number | undefined;
}

/** Throws UnusableModule where the module lacks a function, or a thread has too many arguments. */
export function listEntries(module: ExplorableModule, target: Target): EntryList {
  const entries: Entry[] = [];
  const enter = (functionIndex: number, args: readonly (number | bigint | string)[] = []): number =>
    entries.push({ functionIndex, args: args.map(BigInt) }) - 1;
  for (const thread of target.threads) {
    const index = exportedFunction(module, thread.function);
    const args = thread.args ?? [];
    const takes = module.functions[index - module.imports.length]?.type.params.length ?? 0;
    if (args.length > takes)
      throw new UnusableModule(`${thread.function} takes ${takes} arguments, ${args.length} are given`);
    enter(index, args);
  }
  const optional = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : enter(exportedFunction(module, name));
  const named = [...target.threads.map((thread) => thread.function), target.init, target.invariant, target.final];
  // In this order: the index of each is part of the instrumented module.
  return {
    entries,
    start: module.start === undefined ? undefined : enter(module.start),
    constructors: findConstructors(
      module,
      named.flatMap((name) => (name === undefined ? [] : [exportedFunction(module, name)])),
    ).map((index) => enter(index)),
    init: optional(target.init),
    invariant: optional(target.invariant),
    final: optional(target.final),
  };
}
