// Dice: numbers that look random and follow from a seed alone.
//
// Partners: operation-walk.ts. The generator is Marsaglia's xorshift with 32 bits, after a first mixing of the seed.

export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  }

  /** A whole number from 0 to below - 1. */
  roll(below: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % below;
  }

  chance(percent: number): boolean {
    return this.roll(100) < percent;
  }

  one<T>(of: readonly T[]): T {
    const found = of[this.roll(of.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }
}
