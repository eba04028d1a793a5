// Symmetry: which threads may change places, and the order in which masks over them are stored.
//
// Threads of one class run the same function with the same arguments. States that differ by a permutation of them have the
// same fingerprint; masks of choices are kept in the order of the threads' sums, so that they mean the same in both.
// Owner: one search. Pairs with: depth-first.ts; program.ts sets the classes.

import type { Program } from "../program/program.ts";
import { BLOCK } from "../instrument/engine-layout.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export class Symmetry {
  /** No two threads share a class: nothing to do. */
  readonly trivial: boolean;
  private readonly program: Program;
  private readonly classes: readonly number[];
  private readonly place: number[] = [];

  constructor(program: Program) {
    this.program = program;
    this.classes = program.options.classes;
    this.trivial = new Set(this.classes).size === this.classes.length;
  }

  /** The mask with each thread's bits at the place that its sum gives it within its class; sets the places. */
  apply(mask: number): number {
    const { program, classes, place } = this;
    const { i32 } = program;
    for (let thread = 0; thread < classes.length; thread++) {
      let before = 0;
      const at = (program.block(thread) + BLOCK.sum) >> 2;
      for (let other = 0; other < classes.length; other++) {
        if (classes[other] !== classes[thread] || other === thread) continue;
        const there = (program.block(other) + BLOCK.sum) >> 2;
        const high = assertDefined(i32[there + 1]) - assertDefined(i32[at + 1]);
        const low = assertDefined(i32[there]) - assertDefined(i32[at]);
        if (high < 0 || (high === 0 && (low < 0 || (low === 0 && other < thread)))) before++;
      }
      place[thread] = before;
    }
    // `before` counts members of the class; the class's k-th place is its k-th thread.
    for (let thread = 0; thread < classes.length; thread++) {
      let rank = assertDefined(place[thread]);
      for (let other = 0; other < classes.length; other++)
        if (classes[other] === classes[thread] && rank-- === 0) {
          place[thread] = other;
          break;
        }
    }
    let out = 0;
    for (let thread = 0; thread < classes.length; thread++)
      out |= ((mask >>> thread) & 0x10001) << assertDefined(place[thread]);
    return out;
  }

  /** A mask in stored order back to threads, by the places of the last `apply`. */
  restore(mask: number): number {
    let out = 0;
    for (let thread = 0; thread < this.classes.length; thread++)
      out |= ((mask >>> assertDefined(this.place[thread])) & 0x10001) << thread;
    return out;
  }
}
