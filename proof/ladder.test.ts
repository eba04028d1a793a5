import { expect, test } from "vitest";
import { isMarker, ladderFor } from "./ladder.ts";

test("ladder: two harts: RFC-0022's nine markers, to the character", () => {
  expect(ladderFor(2).map((rung) => rung.marker)).toEqual([
    "KINIT: cpu1 online",
    "KSELFTEST: smp online ok",
    "KSELFTEST: ipi counterfactual ok",
    "KSELFTEST: ipi resched ok",
    "KSELFTEST: test_reject_invalid_ipi_target_cpu ok",
    "KSELFTEST: test_reject_offline_cpu_resched ok",
    "KSELFTEST: work stealing ok",
    "KSELFTEST: test_reject_steal_above_bound ok",
    "KSELFTEST: test_reject_steal_higher_qos ok",
  ]);
});

test("ladder: five harts: each secondary CPU has its line, in order, before the rest", () => {
  const markers = ladderFor(5).map((rung) => rung.marker);
  expect(markers.slice(0, 5)).toEqual([
    "KINIT: cpu1 online",
    "KINIT: cpu2 online",
    "KINIT: cpu3 online",
    "KINIT: cpu4 online",
    "KSELFTEST: smp online ok",
  ]);
  expect(markers).toHaveLength(12);
});

test("ladder: one hart: the skip line alone", () => {
  expect(ladderFor(1).map((rung) => rung.marker)).toEqual(["KSELFTEST: smp skipped (harts=1)"]);
});

test("markers: near misses: not markers", () => {
  for (const line of [
    "KINIT: cpu01 online",
    "KINIT: cpu online",
    "KSELFTEST: ipi resched ok ",
    "kselftest: smp online ok",
  ]) {
    expect(isMarker(line), line).toBe(false);
  }
  expect(isMarker("KINIT: cpu63 online")).toBe(true);
});
