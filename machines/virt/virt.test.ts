// The machine layer of virt on QEMU, under the fixture kernel: what a kernel and its programs can and cannot do.
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CPUS_MAX, KERNEL_PAGES, SPACES_MAX, USER_MEMORY_BYTES } from "../../abi/layout.ts";
import { MachineError, PowerOff } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import { type FixtureImage, fixtureImage } from "./fixtures/fixture-image.ts";
import { findQemu, type QemuExit, type QemuOptions, startQemu } from "./qemu.ts";

const absent = [
  ...((await findQemu()) === undefined ? ["QEMU"] : []),
  ...((await findCompiler()) === undefined ? ["cross compiler"] : []),
];
const title = absent.length === 0 ? "virt" : `virt (skipped: no ${absent.join(", no ")})`;

const MEMORY_BYTES = KERNEL_PAGES * 65536;

interface Result {
  lines: string[];
  exit: QemuExit;
}

describe.skipIf(absent.length > 0)(title, () => {
  let image: FixtureImage;
  beforeAll(async () => {
    image = await fixtureImage();
  });
  afterAll(() => rm(image.folder, { recursive: true, force: true }));

  /** Boots the fixture and returns the kernel's lines, without the firmware's. */
  async function boot(scenario: string, options: Partial<QemuOptions> = {}): Promise<Result> {
    if (image.outcome.kind !== "built") throw new Error(JSON.stringify(image.outcome));
    const signal = AbortSignal.timeout(240_000);
    const bootArguments = `SCN=${scenario}`;
    const start = await startQemu({ elf: image.outcome.elf, harts: 1, bootArguments, signal, ...options });
    if (start.kind !== "started") throw new Error(start.message);
    const lines: string[] = [];
    for await (const line of start.run.lines) lines.push(line);
    const firmware = lines.findIndex((line) => line.startsWith("Boot HART MEDELEG"));
    return { lines: lines.slice(firmware + 1), exit: await start.run.exit };
  }

  test("image: compiled with every warning on: no warning", () => {
    expect(image.outcome).toMatchObject({ kind: "built", warnings: [] });
  });

  for (const { scenario, path, aclint, harts } of [
    { scenario: "h", path: "firmware", aclint: false, harts: 1 },
    { scenario: "h", path: "firmware", aclint: false, harts: 4 },
    { scenario: "s", path: "aclint-sswi", aclint: true, harts: 4 },
  ])
    test(`harts: all print at once, then each is sent an IPI: whole lines, each on its own stack and block (harts=${harts}, ipi=${path})`, async () => {
      const { lines, exit } = await boot(scenario, { harts, aclint });
      expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Passed });
      expect(lines[0]).toBe(
        `boot ticks=10000000 tree=1 magic=1 end=0 wrong-path=${MachineError.InvalidParameter} wrong-address=${aclint ? MachineError.InvalidAddress : MachineError.NotSupported} path=0`,
      );
      expect(lines.filter((line) => line.startsWith("start again"))).toEqual(
        Array.from({ length: harts - 1 }, () => `start again=${MachineError.AlreadyAvailable} error=0`),
      );
      const none = MachineError.InvalidParameter;
      expect(lines).toContain(`start of none: hart=${none} again=${none} cpu0=${none} cpu${CPUS_MAX}=${none} state=1`);
      for (let cpu = 0; cpu < harts; cpu++) {
        const own = lines.filter((line) => line.startsWith(`line cpu=${cpu} `));
        const whole = Array.from(
          { length: 20 },
          (_, n) => `line cpu=${cpu} n=${n} abcdefghijklmnopqrstuvwxyz0123456789`,
        );
        expect(own).toEqual(whole);
        if (cpu > 0) expect(lines).toContain(`acked cpu=${cpu} stack=${cpu}`);
      }
      expect(lines.at(-1)).toBe(`all acked harts=${harts} send-nowhere=1`);
      expect(lines).toHaveLength(3 + 20 * harts + 2 * (harts - 1));
    });

  test("harts: the board lacks the SSWI device that the kernel selects: refused, the firmware still sends", async () => {
    const { lines, exit } = await boot("s", { harts: 2 });
    expect(lines[0]).toContain(`path=${MachineError.NotSupported}`);
    expect(lines.at(-1)).toBe("all acked harts=2 send-nowhere=1");
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Passed });
  });

  test("harts: one enters that no CPU was given to: it stays out of the way, the boot hart's run goes on", async () => {
    const { lines, exit } = await boot("p", { harts: 2 });
    expect(lines).toEqual(["stray error=0", "still alone"]);
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Passed });
  });

  test("virt: booted twice under -icount with 4 harts: the same lines", async () => {
    const first = await boot("h", { harts: 4, icount: true });
    const second = await boot("h", { harts: 4, icount: true });
    expect(second.lines).toEqual(first.lines);
    expect(first.lines.at(-1)).toBe("all acked harts=4 send-nowhere=1");
  });

  test("user programs: each reaches for what is not its own: the fault ends it, with its address; what is allowed works", async () => {
    const { lines, exit } = await boot("u");
    const fault = (program: number, cause: TrapCause, value: number): string =>
      `end program=${program} cause=${cause} value=${value} call=0 a0=0`;
    const done = (program: number): string =>
      `end program=${program} cause=${TrapCause.SystemCall} value=0 call=1 a0=0`;
    // Where the constants lie follows from the size of the code.
    const constant = Number(/ value=(\d+) /.exec(lines.at(-1) ?? "")?.[1]);
    expect(constant).toBeGreaterThan(0x50000000);
    expect(lines.at(-1)).toBe(fault(16, TrapCause.InstructionPage, constant));
    expect(lines.slice(0, -1)).toEqual([
      "a line of a user",
      done(0),
      fault(1, TrapCause.LoadPage, 0x40000),
      fault(2, TrapCause.LoadPage, 0x80200000),
      fault(3, TrapCause.StorePage, 0x50000000),
      fault(4, TrapCause.InstructionPage, 0x40000000),
      fault(5, TrapCause.StorePage, 0x60000000 - 16384 - 8),
      fault(6, TrapCause.LoadPage, 0x2000000000),
      fault(7, TrapCause.IllegalInstruction, 0x10002073),
      fault(8, TrapCause.IllegalInstruction, 0x53),
      fault(9, TrapCause.TimerInterrupt, 0),
      fault(10, TrapCause.LoadPage, 0x40000000 + USER_MEMORY_BYTES),
      fault(11, TrapCause.StorePage, 0x60000000),
      done(12),
      done(13),
      done(14),
      done(15),
    ]);
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Passed });
  });

  for (const { scenario, what, reason, detail } of [
    { scenario: "0", what: "reads through a null reference", reason: "load page fault", detail: 0n },
    { scenario: "1", what: "reads past its memory", reason: "load page fault", detail: BigInt(MEMORY_BYTES) },
    { scenario: "2", what: "reads below its memory", reason: "load page fault", detail: 0xfffffffffffffffcn },
    { scenario: "3", what: "writes its own code", reason: "store page fault", detail: 0x80200000n },
    { scenario: "4", what: "reads user memory", reason: "load page fault", detail: 0x40000000n },
    { scenario: "5", what: "reads a device", reason: "load page fault", detail: 0x10000000n },
    { scenario: "6", what: "traps as wasm does", reason: "unreachable or illegal instruction", detail: 0n },
    { scenario: "7", what: "returns no space", reason: "no such space to enter", detail: BigInt(SPACES_MAX) },
    { scenario: "8", what: "prints past its memory", reason: "a line outside", detail: BigInt(MEMORY_BYTES - 4) },
    { scenario: "9", what: "executes its data", reason: "instruction page fault", detail: 0x10000n },
    { scenario: "a", what: "reads the page tables", reason: "load page fault", detail: undefined },
    { scenario: "b", what: "copies past its memory", reason: "a copy outside", detail: BigInt(MEMORY_BYTES - 4) },
    { scenario: "c", what: "reads the firmware", reason: "load page fault", detail: 0x801ffff8n },
    { scenario: "d", what: "overruns CPU 0's trap stack", reason: "store page fault", detail: undefined },
    { scenario: "e", what: "overwrites the canary while it boots", reason: "trap stack overrun", detail: 0n },
    { scenario: "g", what: "overwrites the canary, and idles on", reason: "trap stack overrun", detail: 0n },
    { scenario: "i", what: "overwrites the canary in a program's trap", reason: "trap stack overrun", detail: 0n },
    { scenario: "j", what: "faults in an idle hart's trap", reason: "load page fault", detail: 0n },
  ])
    test(`kernel: ${what}: a panic with its evidence, and the host is informed`, async () => {
      const { lines, exit } = await boot(scenario);
      expect(lines[0]).toBe("breaks a rule");
      expect(lines).toHaveLength(2);
      expect(lines[1]).toMatch(
        new RegExp(`^PANIC: cpu=0 reason=${reason}.* scause=0x.* stval=0x.* sepc=0x.* detail=0x[0-9a-f]+$`),
      );
      if (detail !== undefined) expect(lines[1]?.endsWith(` detail=0x${detail.toString(16)}`)).toBe(true);
      expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Panic });
    });

  test("boot: the board has too little memory: a panic that says so, before anything is overwritten", async () => {
    const { lines, exit } = await boot("u", { memoryMebibytes: 16 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^PANIC: cpu=0 reason=too little memory for the kernel /);
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Panic });
  });

  test("kernel: powers off with a failure: the host is informed", async () => {
    const { exit } = await boot("f");
    expect(exit).toEqual({ kind: "powered-off", result: PowerOff.Failed });
  });

  // The fixture's kernel_trap takes fifteen instructions of its own, and the program's loop three.
  const LOOP_AND_FIXTURE = 18;
  for (const { scenario, what, most } of [
    { scenario: "y", what: "entry and exit with everything saved", most: 90 },
    { scenario: "w", what: "the same with another address space", most: 110 },
  ])
    test(`trap path: a system call, ${what}: at most ${most} instructions`, async () => {
      const { lines } = await boot(scenario, { icount: true });
      const counted = Number(/^instructions=(\d+)$/.exec(lines[0] ?? "")?.[1]) / 1000;
      const rounds = scenario === "w" ? 2 : 1;
      expect(counted / rounds).toBeLessThanOrEqual(most + LOOP_AND_FIXTURE);
      // Fewer than the registers to save and to restore would mean that something is not saved.
      expect(counted / rounds).toBeGreaterThan(62);
    });
});
