// Signal: what an import throws to end the call of a program from within, and how a trap of the engine is described.
//
// Invariant: a signal never leaves the machine; machine.ts and space.ts turn each into an outcome or a trap.

/** The kernel asked to power off. */
export class PowerOffSignal {
  constructor(readonly result: number) {}
}

/** An access beyond the program's own memory. */
export class OutsideSignal {
  /** `flags` as in toolchain/sites.ts. */
  constructor(
    readonly address: number,
    readonly flags: number,
  ) {}
}

/** A loop that turned too often without a pause. */
export class StuckSignal {
  constructor(readonly site: number) {}
}

/** The kernel asked the machine for something that breaks an invariant that both rely on. */
export class ViolationSignal {
  /** `reason`: lower-case terms joined by hyphens. */
  constructor(
    readonly reason: string,
    readonly detail: number,
  ) {}
}

/** The import `sim.outside`. */
export function throwOutside(address: number, flags: number): never {
  throw new OutsideSignal(address, flags);
}

/** The import `sim.stuck`. */
export function throwStuck(site: number): never {
  throw new StuckSignal(site);
}

export interface TrapDescription {
  /** Lower-case terms joined by hyphens, the same on every engine. */
  readonly reason: string;
  readonly detail: number;
}

const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/unreachable/i, "unreachable"],
  [/(divide|remainder|division) by zero/i, "divide-by-zero"],
  [/overflow|unrepresentable/i, "integer-overflow"],
  [/unaligned|alignment|misaligned/i, "unaligned-atomic"],
  [/out of bounds|out-of-bounds/i, "access-out-of-bounds"],
];

/** What a trap is, or undefined when what was thrown is no trap but a bug of the machine. */
export function describeTrap(thrown: unknown): TrapDescription | undefined {
  if (thrown instanceof OutsideSignal) return { reason: "access-out-of-bounds", detail: thrown.address >>> 0 };
  if (thrown instanceof ViolationSignal) return { reason: thrown.reason, detail: thrown.detail >>> 0 };
  if (thrown instanceof RangeError) return { reason: "stack-overflow", detail: 0 };
  if (!(thrown instanceof WebAssembly.RuntimeError)) return undefined;
  const found = REASONS.find(([pattern]) => pattern.test(thrown.message));
  return { reason: found?.[1] ?? "trap", detail: 0 };
}
