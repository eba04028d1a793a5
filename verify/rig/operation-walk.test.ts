// More random walks than the clause's check makes, and one that is asked for by its seed.

import { beforeAll, expect, test } from "vitest";
import { Dice } from "./dice.ts";
import { type KernelImage, shippedKernel } from "./kernel-image.ts";
import { walk } from "./operation-walk.ts";

let kernel: KernelImage;
beforeAll(async () => {
  kernel = await shippedKernel();
});

const asked = process.env["HARTBEAT_WALK_SEED"];
const SEEDS = asked === undefined ? [101, 102, 103, 104, 105, 106] : [Number(asked)];

test.each(SEEDS)("random walk: kernel and model agree after each of 1000 moves (seed %i)", (seed) => {
  walk(kernel, seed, 1000);
});

test("dice: one seed: one sequence; another seed, another", () => {
  const rolls = (seed: number): number[] => {
    const dice = new Dice(seed);
    return Array.from({ length: 20 }, () => dice.roll(1000));
  };
  expect(rolls(7)).toEqual(rolls(7));
  expect(rolls(7)).not.toEqual(rolls(8));
  expect(new Set(Array.from({ length: 50 }, (_, seed) => rolls(seed).join())).size).toBe(50);
});
