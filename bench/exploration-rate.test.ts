import { expect, test } from "vitest";
import { runtimeNames } from "../explore/instrument/runtime-functions.ts";
import { PART_OF } from "./exploration-rate.ts";

test("exploration rate: the functions that have a share of their own: each is the runtime's, or a check's", () => {
  expect(Object.keys(PART_OF).filter((name) => !["invariant", "final", ...runtimeNames].includes(name))).toEqual([]);
});
