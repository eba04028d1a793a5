// User spaces between two lives, over a trap and on a machine without ASIDs; breaks of the layer that these checks must report.
import { rm } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { MachineError, PowerOff } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import type { UserModule } from "../../toolchain/user-modules.ts";
import { COUNTING_MODULES, fixtureImage, type LayerChange } from "./fixtures/fixture-image.ts";
import { findQemu, type QemuExit, startQemu } from "./qemu.ts";

const absent = [
  ...((await findQemu()) === undefined ? ["QEMU"] : []),
  ...((await findCompiler()) === undefined ? ["cross compiler"] : []),
];
const title = absent.length === 0 ? "lives" : `lives (skipped: no ${absent.join(", no ")})`;

const NO_ASIDS: LayerChange = {
  file: "page-table.c",
  old: "return (kept >> SATP_ASID_SHIFT & SATP_ASID_MASK) >= ASIDS;",
  new: "return kept == 0;",
};

/** The registers that are set when a life begins, a bit each: its first address, its stack, two arguments. */
const SET_AT_FIRST = [0, 2, 10, 11].reduce((set, number) => set + 2 ** number, 0);

/**
 * What is left out, and what the second life then finds: 1 memory, 2 stack, 4 registers that it can look at; `set`: the
 * registers that hold something when it begins.
 */
const BREAKS: readonly (LayerChange & { readonly what: string; readonly finds: number; readonly set?: number })[] = [
  {
    what: "memory is not cleared",
    file: "user-space.c",
    old: "  clear(user_memories + (size_t)space * USER_MEMORY_BYTES, USER_MEMORY_BYTES);\n",
    new: "",
    finds: 1,
  },
  {
    what: "the last line of memory is not cleared",
    file: "user-space.c",
    old: "USER_MEMORY_BYTES, USER_MEMORY_BYTES);\n  clear",
    new: "USER_MEMORY_BYTES, USER_MEMORY_BYTES - 64);\n  clear",
    finds: 1,
  },
  {
    what: "the stack is not cleared",
    file: "user-space.c",
    old: "  clear(user_stacks + (size_t)space * USER_STACK_BYTES, USER_STACK_BYTES);\n",
    new: "",
    finds: 2,
  },
  {
    what: "registers are not cleared",
    file: "user-space.c",
    old: "  for (int number = 1; number < 32; number++) registers[number] = 0;\n",
    new: "",
    finds: 4,
    set: 2 ** 32 - 1,
  },
  {
    what: "the last register is not cleared",
    file: "user-space.c",
    old: "number < 32; number++",
    new: "number < 31; number++",
    finds: 0,
    set: SET_AT_FIRST + 2 ** 31,
  },
];

describe.skipIf(absent.length > 0)(title, () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  async function imageWith(change?: LayerChange, modules: readonly UserModule[] = []): Promise<string> {
    const { folder, outcome } = await fixtureImage(undefined, undefined, change, modules);
    folders.push(folder);
    if (outcome.kind !== "built") throw new Error(JSON.stringify(outcome));
    return outcome.elf;
  }

  async function boot(elf: string, scenario: string, icount = false): Promise<{ lines: string[]; exit: QemuExit }> {
    const signal = AbortSignal.timeout(240_000);
    const start = await startQemu({ elf, harts: 1, bootArguments: `SCN=${scenario}`, icount, signal });
    if (start.kind !== "started") throw new Error(start.message);
    const lines: string[] = [];
    for await (const line of start.run.lines) lines.push(line);
    const firmware = lines.findIndex((line) => line.startsWith("Boot HART MEDELEG"));
    return { lines: lines.slice(firmware + 1), exit: await start.run.exit };
  }

  const lives = (found: number, set = SET_AT_FIRST): string[] =>
    [
      [SET_AT_FIRST, 0],
      [set, found],
    ].map(([registers, a0]) => `life registers=${registers} cause=${TrapCause.SystemCall} call=1 a0=${a0}`);

  test("space: a first life leaves marks in memory, stack and registers: the second finds none", async () => {
    const { lines, exit } = await boot(await imageWith(), "l");
    expect(lines).toEqual(lives(0));
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Passed });
  });

  test.each(BREAKS)("space: $what: the second life finds it", async (one) => {
    expect((await boot(await imageWith(one), "l")).lines).toEqual(lives(one.finds, one.set));
  });

  const countsOf = async (change?: LayerChange): Promise<string> => {
    const { lines } = await boot(await imageWith(change, COUNTING_MODULES), "m");
    return lines.map((line) => line.replace("counted=", "")).join(" ");
  };

  test("space: lives in turn with the shared memory and with its own: the one counts on, the other begins again", async () => {
    // The shared one is loaded with 10, the others with 20.
    expect(await countsOf()).toBe("10 20 11 20 12 20");
  });

  test.each([
    [
      "a hart keeps the tree of the space's last life",
      "    if (*runs == space) *runs = NO_SPACE;\n",
      "    (void)runs;\n",
    ],
    ["the shared memory is loaded with each task", "  if (is_loaded) return;\n", ""],
  ])("space: %s: the lives count otherwise", async (_, old, changed) => {
    expect(await countsOf({ file: "user-space.c", old, new: changed })).not.toBe("10 20 11 20 12 20");
  });

  test("space: a trap leaves out the last register: the program finds the kernel's value in it", async () => {
    const one: LayerChange = { file: "trap.S", old: "  \\instruction x31, 8*31(s1)\n", new: "" };
    const [usual, broken] = [await boot(await imageWith(), "u"), await boot(await imageWith(one), "u")];
    const endOfFirst = ({ lines }: { lines: string[] }): string | undefined =>
      lines.find((line) => line.startsWith("end program=0 "));
    expect(endOfFirst(usual)).toMatch(/ a0=0$/);
    expect(endOfFirst(broken)).toMatch(/ a0=-?[1-9]\d*$/);
  });

  test("space: the programs' constants can be executed: a program that jumps into them goes on", async () => {
    const one: LayerChange = {
      file: "page-table.c",
      old: "at < user_constants_start ? READ | EXECUTE : READ",
      new: "READ | EXECUTE",
    };
    const { lines } = await boot(await imageWith(one), "u");
    expect(lines.at(-1)).toBe(`end program=16 cause=${TrapCause.SystemCall} value=0 call=1 a0=0`);
  });

  test("harts: a hart that cannot be started keeps its CPU: the next one is refused it", async () => {
    const one: LayerChange = { file: "harts.c", old: "  if (error != 0) block->hart = -1;\n", new: "" };
    const { lines } = await boot(await imageWith(one), "h");
    expect(lines[1]).toContain(`hart=${MachineError.InvalidParameter} again=${MachineError.AlreadyAvailable} `);
  });

  test("space: a line that ends one byte past the memory is let through: the console has it", async () => {
    const one: LayerChange = {
      file: "user-space.c",
      old: "userAddress > USER_MEMORY_BYTES - lengthBytes",
      new: "userAddress > USER_MEMORY_BYTES + 1 - lengthBytes",
    };
    const { lines } = await boot(await imageWith(one), "u");
    expect(lines[0]).toBe("a line of a user");
    expect(lines[1]).not.toMatch(/^end program=0 /);
    expect(lines[2]).toMatch(/^end program=0 /);
  });

  test("space: a machine without ASIDs: programs reach nothing but their own, and each switch makes a fence", async () => {
    const [usual, without] = [await imageWith(), await imageWith(NO_ASIDS)];
    const [expected, found] = [await boot(usual, "u"), await boot(without, "u")];
    expect(found).toEqual(expected);
    const counted = async (elf: string): Promise<number> =>
      Number(/^instructions=(\d+)$/.exec((await boot(elf, "w", true)).lines[0] ?? "")?.[1]);
    // Two switches in each of 1000 rounds, each a fence and the jump back more.
    expect((await counted(without)) - (await counted(usual))).toBeGreaterThanOrEqual(2 * 1000 * 2);
  });
});
