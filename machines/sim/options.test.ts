import { describe, expect, it } from "vitest";
import { checkOptions, type SimOptions } from "./options.ts";

describe("options", () => {
  it("options: only the number of harts given: everything else has its default", () => {
    const check = checkOptions({ harts: 3 });
    expect(check).toMatchObject({
      kind: "accepted",
      options: { hartIds: [0, 1, 2], bootIndex: 0, sswi: false, ticksPerSecond: 10_000_000, time: "stepped" },
    });
  });

  it("options: boot hart that is not the first: its place is found", () => {
    expect(checkOptions({ harts: 3, hartIds: [5, 3, 8], bootHart: 8 })).toMatchObject({ options: { bootIndex: 2 } });
  });

  const mistakes: [SimOptions, string][] = [
    [{ harts: 0 }, "harts is 0: give a whole number from 1 to 128"],
    [{ harts: 129 }, "harts is 129: give a whole number from 1 to 128"],
    [{ harts: 1.5 }, "harts is 1.5: give a whole number from 1 to 128"],
    [{ harts: 2, sswiHarts: [1, 5] }, "sswiHarts names hart 5, which this machine does not have"],
    [{ harts: 2, hartIds: [1] }, "hartIds names 1 harts, but harts is 2"],
    [{ harts: 2, hartIds: [1, 1] }, "hartIds names a hart twice"],
    [{ harts: 1, hartIds: [-1] }, "hart id -1 is not a whole number from 0 to 2147483647"],
    [{ harts: 2, bootHart: 2 }, "bootHart 2 is not one of the hart ids 0, 1"],
    [{ harts: 1, ticksPerSecond: 0 }, "ticksPerSecond is 0: give a whole number from 1 to 2147483647"],
    [{ harts: 1, faults: { neverStarts: [3] } }, "a fault names hart 3, which this machine does not have"],
    [{ harts: 1, faults: { failedSends: [{ hart: 7 }] } }, "a fault names hart 7, which this machine does not have"],
    [
      { harts: 1, faults: { spuriousSoft: [{ hart: 1, step: 4 }] } },
      "a fault names hart 1, which this machine does not have",
    ],
  ];
  it.each(mistakes)("options: %j: refused, saying what and how", (options, reason) => {
    expect(checkOptions(options)).toEqual({ kind: "refused", reason });
  });
});
