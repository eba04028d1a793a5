import { describe, expect, it } from "vitest";
import { type Choice, formatSchedule, parseSchedule, Recording } from "./choice.ts";

describe("choice", () => {
  it("schedule: printed and parsed again: the same", () => {
    const text = "a0*57 i3 t s12 a63 a1*2";
    const parsed = parseSchedule(text);
    if (parsed.kind !== "schedule") throw new Error(parsed.reason);
    expect(parsed.schedule).toHaveLength(6);
    expect(parsed.schedule[0]).toEqual({ choice: { kind: "advance", hart: 0 }, count: 57 });
    expect(formatSchedule(parsed.schedule)).toBe(text);
  });

  it.each(["a", "b1", "a1*0", "i1*2", "t3", "a1**2", "a-1"])("schedule: malformed entry %s: named", (word) => {
    const parsed = parseSchedule(`a0 ${word}`);
    expect(parsed).toEqual({ kind: "malformed", reason: expect.stringContaining(`entry 2, "${word}"`) });
  });

  it("recording: neighbouring advances of one hart: joined; anything else: not", () => {
    const recording = new Recording();
    const choices: [Choice, number][] = [
      [{ kind: "advance", hart: 1 }, 3],
      [{ kind: "advance", hart: 1 }, 4],
      [{ kind: "advance", hart: 2 }, 1],
      [{ kind: "interrupt", hart: 2 }, 1],
      [{ kind: "interrupt", hart: 2 }, 1],
      [{ kind: "elapse" }, 1],
    ];
    for (const [choice, count] of choices) recording.add(choice, count);
    expect(formatSchedule(recording.schedule())).toBe("a1*7 a2 i2 i2 t");
  });
});
