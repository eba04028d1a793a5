import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { Qos } from "../abi/qos.ts";
import { CPUS_IN_TURN } from "../abi/task-table.ts";
import { addProgramFlags, conflictOfPrograms, type ProgramRequest, taskTableOf } from "./program-request.ts";

function parse(...args: string[]): readonly ProgramRequest[] {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const requests = addProgramFlags(command);
  command.parse(args, { from: "user" });
  return requests;
}

const plain = { program: 0, argument: 0n, qos: Qos.Normal, cpu: CPUS_IN_TURN, count: 1 };

describe("program request", () => {
  test("program request: flags after each --program: they belong to it alone", () => {
    const args = "--program a.ts --count 3 --program b.c:-7 --qos interactive --cpu 1 --program c.wasm#2:0x10";
    expect(parse(...args.split(" "))).toEqual([
      { ...plain, path: "a.ts", count: 3 },
      { ...plain, path: "b.c", argument: -7n, qos: Qos.Interactive, cpu: 1 },
      { ...plain, path: "c.wasm", program: 2, argument: 16n },
    ]);
  });

  test("program request: names with colons and hashes in them: only what follows the suffix is cut off", () => {
    expect(parse("--program", "d#1/e:2/f.ts:3")).toEqual([{ ...plain, path: "d#1/e:2/f.ts", argument: 3n }]);
    expect(parse("--program", "no-suffix:3")).toEqual([{ ...plain, path: "no-suffix:3" }]);
  });

  test.each([
    ["--qos Normal", /--qos belongs to the --program before it/],
    ["--cpu 0 --program a.ts", /--cpu belongs to the --program before it/],
    ["--count 2", /--count belongs to the --program before it/],
    ["--program a.ts --qos Urgent", /Give one of Idle, Normal, Interactive, PerfBurst/],
    ["--program a.ts --cpu -1", /Give a whole number/],
    ["--program a.ts --cpu x", /Give a whole number/],
    ["--program a.ts --count 0", /at least 1/],
    ["--program a.ts --count 121", /At most 120 tasks/],
    ["--program a.ts:five", /"five" is no argument of a program: give a whole number of 64 bits/],
    ["--program a.ts:9223372036854775808", /no argument of a program/],
    ["--program a.ts:", /"" is no argument/],
    ["--program a.wasm#x", /Give a whole number/],
  ])("program request: %s: refused with what to give", (args, message) => {
    expect(() => parse(...args.split(" "))).toThrow(message);
  });

  test("program request: a CPU that there is not, and too many tasks in all: a conflict", () => {
    const requests = parse("--program", "a.ts", "--cpu", "2", "--count", "100");
    expect(conflictOfPrograms(requests, 2)).toMatch(/^--cpu 2 of a\.ts: there are 2 CPUs, from 0; give --smp$/);
    expect(conflictOfPrograms(requests, 3)).toBeNull();
    expect(conflictOfPrograms([...requests, ...requests], 3)).toMatch(/asks for 200 tasks; at most 120/);
  });

  test("program request: the task table: a row for each task, the argument in two halves", () => {
    const requests = parse("--program", "a.ts:-2", "--count", "2", "--program", "b.ts:4294967299", "--qos", "Idle");
    expect(taskTableOf(requests, [9, 11])).toEqual([
      3,
      ...[9, Qos.Normal, CPUS_IN_TURN, -2, -1],
      ...[9, Qos.Normal, CPUS_IN_TURN, -2, -1],
      ...[11, Qos.Idle, CPUS_IN_TURN, 3, 1],
    ]);
  });
});
