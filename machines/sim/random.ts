// Random: a small generator of pseudo-random numbers, the same on every engine.
//
// Integers of 32 bits only, so no rounding can differ. The algorithm is xoshiro128** (Blackman and Vigna, 2018); its
// state is filled from the seed by a counter and an avalanche function, so that neighbouring seeds share nothing.
// Owner: whoever made it; a machine never draws numbers by itself.

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** `seed`: a whole number from 0 to 2^53 - 1. */
  constructor(seed: number) {
    const low = seed >>> 0;
    const high = Math.floor(seed / 0x1_0000_0000) >>> 0;
    this.a = avalanche(low + 0x9e3779b9);
    this.b = avalanche(high ^ 0x85ebca6b);
    this.c = avalanche(this.a ^ Math.imul(high, 0xc2b2ae35));
    // The last word is odd: a state of nothing but zeros would stay there for ever.
    this.d = avalanche(this.b + this.c) | 1;
  }

  /** 32 random bits, as a number from 0 to 2^32 - 1. */
  next(): number {
    const product = Math.imul(rotate(Math.imul(this.b, 5), 7), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotate(this.d, 11);
    return product >>> 0;
  }

  /** A number from 0 to `bound` - 1; `bound` is at most 2^16, where the bias of the remainder is below 2^-16. */
  below(bound: number): number {
    return this.next() % bound;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function avalanche(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
