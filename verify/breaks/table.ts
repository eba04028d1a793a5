// Table: every break of the kernel, once. Each clause has the one that the contract names for it, or, where it names
// none, one in its spirit; the museum holds those that other kernels really had.
//
// Invariants: titles differ, and so do edits. Pairs with: break.ts; table-*.ts and museum.ts (its parts); plants.ts
// (which scenarios plant one); docs/contract.md, which lists all.

import type { Break } from "./break.ts";
import { MUSEUM } from "./museum.ts";
import { EVIDENCE_BREAKS } from "./table-evidence.ts";
import { IDENTITY_BREAKS } from "./table-identity.ts";
import { MACHINE_BREAKS } from "./table-machine.ts";
import { QUEUES_BREAKS } from "./table-queues.ts";
import { RESCHED_BREAKS } from "./table-resched.ts";
import { STEALING_BREAKS } from "./table-stealing.ts";
import { TASKS_BREAKS } from "./table-tasks.ts";

export const BREAKS: readonly Break[] = [
  ...QUEUES_BREAKS,
  ...STEALING_BREAKS,
  ...RESCHED_BREAKS,
  ...IDENTITY_BREAKS,
  ...TASKS_BREAKS,
  ...EVIDENCE_BREAKS,
  ...MACHINE_BREAKS,
  ...MUSEUM,
];

/** Throws where there is no break of that title. */
export function breakNamed(title: string): Break {
  const found = BREAKS.find((one) => one.title === title);
  if (found === undefined) throw new Error(`no break is titled "${title}": see verify/breaks/table.ts`);
  return found;
}

/** Whether it changes what scenarios explore: code of the kernel, not of a machine. */
export function isOfKernel({ edits }: Break): boolean {
  return edits.every(({ file }) => file.startsWith("kernel/"));
}
