// Operation costs: the most atomic accesses that any schedule makes one call of a kernel operation take.
//
// A search of its own on the smallest bounds that a scenario has: the count is part of the state, which makes more states.
// The kernel's code is linked as ever, with a call before each of its atomic accesses; invisible ones are counted as well.
// Owner: the caller. Invariant: a number is reported only where the search came to its end; an operation that goes round
// without end is reported with the place where it does.
// Pairs with: harness/cost-counter.ts (counts), parts.ts, run.ts, the command.

import type { ExploreOptions, IncompleteReason, WasmModule } from "../../explore/index.ts";
import { decodeModule, explore, link } from "../../explore/index.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { KERNEL_PAGES } from "../../abi/layout.ts";
import { ACCESSES_MAX, CALLS, COST_COUNTERS_OFFSET, INTERRUPTS, COUNTING_OFFSET, SLOTS, TRAPS } from "./cost-slots.ts";
import type { Parts } from "./parts.ts";
import { linkedLines } from "./parts.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { questionOf } from "./scenario.ts";

const COUNTING = (KERNEL_PAGES << 16) + COUNTING_OFFSET;
const COST_COUNTERS = (KERNEL_PAGES << 16) + COST_COUNTERS_OFFSET;

export interface OperationCost {
  /** An export of the kernel, or a trap by its cause or system call. */
  readonly operation: string;
  readonly accesses: number;
}

export type OperationCosts =
  | {
      readonly kind: "measured";
      readonly tier: Tier;
      readonly states: number;
      readonly costs: readonly OperationCost[];
    }
  /** at: where it goes round, as function and source line. */
  | { readonly kind: "unbounded"; readonly operation: string; readonly accessesMax: number; readonly at: string }
  | { readonly kind: "unknown"; readonly reason: IncompleteReason | "violated" };

/** Measures one scenario. */
export async function measureOperations(
  scenario: Scenario,
  parts: Parts,
  options: ExploreOptions = {},
): Promise<OperationCosts> {
  const tier: Tier = scenario.fast === undefined ? "full" : "fast";
  const kernel = decodeModule(parts.kernel);
  const machine = withCounting(decodeModule(parts.harness));
  const operations = machine.imports.filter(({ module }) => module === "kernel").map(({ name }) => name);
  const linkable = [
    { name: "kernel", module: kernel },
    { name: "machine", module: machine },
  ];
  const counter = { access: "countAccess", begin: "beginOperation", end: "endOperation" };
  const linked = link(linkable, { of: "kernel", by: "machine", ...counter, operations });
  const question = questionOf(scenario, tier);
  const exploration = await explore(
    {
      wasm: linked.bytes,
      ...question,
      ghosts: [...(question.ghosts ?? []), [COST_COUNTERS, COST_COUNTERS + 4 * SLOTS]],
      costCounters: { at: COST_COUNTERS, count: SLOTS },
    },
    { ...options, shortest: false, sourceMap: linkedLines(linked, parts) },
  );
  const { verdict, costCounters = [] } = exploration;
  const costs = costCounters
    .map((accesses, slot) => ({ operation: nameOf(slot, operations), accesses }))
    .filter(({ accesses }) => accesses > 0);
  switch (verdict.kind) {
    case "passed":
      return { kind: "measured", tier, states: exploration.states, costs };
    case "incomplete":
      return { kind: "unknown", reason: verdict.reason };
    case "violated": {
      const over = costs.find(({ accesses }) => accesses > ACCESSES_MAX);
      if (over === undefined) return { kind: "unknown", reason: "violated" };
      const last = verdict.counterexample.steps
        .at(-1)
        ?.accesses.findLast(({ operation }) => operation.includes("atomic"));
      const at = last === undefined ? "" : `${last.function} ${last.source ?? ""}`.trim();
      return { kind: "unbounded", operation: over.operation, accessesMax: ACCESSES_MAX, at };
    }
    default:
      return verdict satisfies never;
  }
}

/** The harness with the word set for that. */
function withCounting(module: WasmModule): WasmModule {
  return { ...module, data: [...module.data, { passive: false, offset: COUNTING, bytes: Uint8Array.of(1) }] };
}

function nameOf(slot: number, operations: readonly string[]): string {
  if (slot >= CALLS) return `trap ${Syscall[slot - CALLS] ?? `call ${slot - CALLS}`}`;
  if (slot >= INTERRUPTS) return `trap ${TrapCause[(slot - INTERRUPTS) | -0x80000000] ?? "interrupt"}`;
  if (slot >= TRAPS) return `trap ${TrapCause[slot - TRAPS] ?? "fault"}`;
  return operations[slot] ?? `operation ${slot}`;
}
