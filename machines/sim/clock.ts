// Clock: virtual time. It moves with the steps that the harts make, or jumps; it never looks at a real clock.
//
// Time is kept in fractions of a tick: harts run side by side, so with n harts it takes n steps for a tick to pass.
// Invariant: time never goes back.
// Partners: machine.ts moves it; machine-calls.ts reads it for the kernel.

/** A deadline at or beyond this many ticks means never: a timer that far away is the kernel's way to say so. */
const NEVER_TICKS = 2n ** 45n;

export class Clock {
  /** Time since power-on, in fractions: `fractionsPerTick` of them are one tick. */
  fractions = 0;
  /** Steps that all harts together have made. */
  steps = 0;

  /** With `moving` false, steps take no time and only `jump` moves the clock. */
  constructor(
    private readonly fractionsPerTick: number,
    private readonly moving: boolean,
  ) {}

  step(steps: number): void {
    this.steps += steps;
    if (this.moving) this.fractions += steps;
  }

  /** Steps after which a deadline in fractions has come; Infinity when steps do not bring it about. */
  stepsTo(deadline: number): number {
    if (deadline <= this.fractions) return 0;
    return this.moving ? deadline - this.fractions : Infinity;
  }

  ticks(): bigint {
    return BigInt(Math.floor(this.fractions / this.fractionsPerTick));
  }

  /** A deadline in ticks (unsigned, 64 bits) as fractions; Infinity for never. */
  deadline(ticks: bigint): number {
    const unsigned = BigInt.asUintN(64, ticks);
    return unsigned >= NEVER_TICKS ? Infinity : Number(unsigned) * this.fractionsPerTick;
  }

  /** So many ticks from now, as fractions. */
  after(ticks: number): number {
    return this.fractions + ticks * this.fractionsPerTick;
  }

  jump(fractions: number): void {
    this.fractions = Math.max(this.fractions, fractions);
  }
}
