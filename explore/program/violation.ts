// Violation: everything that makes an exploration fail, as one union.
//
// Owner: none, types and messages only. Pairs with: program.ts (steps), the searches (states), render.ts (prints).

export type Violation =
  | { readonly kind: "trap"; readonly thread: number; readonly message: string }
  | { readonly kind: "assertion"; readonly thread: number; readonly message: string }
  | { readonly kind: "race"; readonly thread: number; readonly other: number; readonly address: number }
  /** `widths`: how wide other schedules access the bytes of the address's word, a nibble each. */
  | { readonly kind: "mixed-width"; readonly thread: number; readonly address: number; readonly widths: number }
  | { readonly kind: "unaligned"; readonly thread: number; readonly address: number }
  | { readonly kind: "plain-loop"; readonly thread: number }
  | { readonly kind: "stack-depth"; readonly thread: number }
  | { readonly kind: "steps"; readonly thread: number; readonly stepsMax: number }
  | { readonly kind: "deadlock"; readonly waiting: readonly number[] }
  | { readonly kind: "livelock"; readonly states: number }
  | { readonly kind: "invariant"; readonly result: number }
  | { readonly kind: "final"; readonly result: number };

export type ViolationKind = Violation["kind"];

const hex = (address: number): string => `0x${(address >>> 0).toString(16)}`;

/** One line that states what went wrong. */
export function describeViolation(violation: Violation, threadName: (thread: number) => string): string {
  switch (violation.kind) {
    case "trap":
      return `${threadName(violation.thread)} trapped: ${violation.message}`;
    case "assertion":
      return `${threadName(violation.thread)} failed an assertion: ${violation.message}`;
    case "race":
      return `data race on address ${hex(violation.address)}: ${threadName(violation.other)} and ${threadName(violation.thread)} access it with no order between them`;
    case "mixed-width":
      return `address ${hex(violation.address)} is accessed atomically with different widths (${threadName(violation.thread)})`;
    case "unaligned":
      return `${threadName(violation.thread)} makes an atomic access that is not aligned, at address ${hex(violation.address)}`;
    case "plain-loop":
      return `${threadName(violation.thread)} loops without an atomic access, or for longer than the bound on plain loops`;
    case "stack-depth":
      return `${threadName(violation.thread)} calls too deeply for the explorer's frames`;
    case "steps":
      return `${threadName(violation.thread)} takes more than ${violation.stepsMax} steps`;
    case "deadlock":
      return `deadlock: ${violation.waiting.map(threadName).join(", ")} wait${violation.waiting.length === 1 ? "s" : ""}, and nobody can wake them`;
    case "livelock":
      return `livelock: threads go on stepping, and no schedule lets all of them finish (${violation.states} states)`;
    case "invariant":
      return `the invariant does not hold (it returned ${violation.result})`;
    case "final":
      return `the final check does not hold (it returned ${violation.result})`;
    default:
      return violation satisfies never;
  }
}
