// Random numbers: the numbers by which a program is generated. One seed, one program, on every machine.
//
// Owner: one generation. The algorithm is mulberry32 (Tommy Ettinger, public domain).
// Pairs with: generate.ts.

export class RandomSource {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x5bd1e995, 0x2c1b3c6d) ^ (seed >>> 15);
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return (x ^ (x >>> 14)) >>> 0;
  }

  /** From 0 to below the bound. */
  below(bound: number): number {
    return this.next() % bound;
  }

  /** Is it so, with this share? */
  chance(share: number): boolean {
    return this.next() < share * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }
}
