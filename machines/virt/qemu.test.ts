// The driver: what it refuses, how runs end, and that no board outlives it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../toolchain/package-root.ts";
import { closeWriter, openConsolePipe } from "./console-pipe.ts";
import { checkElf } from "./elf.ts";
import { LineQueue } from "./line-queue.ts";
import { findQemu, QEMU_MISSING, type QemuRun, qemuArguments, qemuVersion, startQemu } from "./qemu.ts";

const CODE = [0x6f, 0x00, 0x00, 0x00]; // j .

/** The smallest image: one segment, an endless loop. */
function loopImage(address = 0x80200000n, machine = 243): Buffer {
  const image = Buffer.alloc(64 + 56 + CODE.length);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  image.writeUInt16LE(2, 16);
  image.writeUInt16LE(machine, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(address, 24);
  image.writeBigUInt64LE(64n, 32);
  image.writeUInt16LE(64, 52);
  image.writeUInt16LE(56, 54);
  image.writeUInt16LE(1, 56);
  image.writeUInt32LE(1, 64);
  image.writeUInt32LE(5, 68);
  image.writeBigUInt64LE(120n, 72);
  image.writeBigUInt64LE(address, 80);
  image.writeBigUInt64LE(address, 88);
  image.writeBigUInt64LE(BigInt(CODE.length), 96);
  image.writeBigUInt64LE(BigInt(CODE.length), 104);
  image.set(CODE, 120);
  return image;
}

let folder = "";
let loop = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hartbeat-qemu-"));
  loop = join(folder, "loop.elf");
  await writeFile(loop, loopImage());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("image check", () => {
  test("image check: a whole image: nothing to say", async () => {
    expect(await checkElf(loop)).toBeUndefined();
  });

  for (const { what, bytes, complaint } of [
    { what: "no ELF file", bytes: Buffer.from("#!/bin/sh\n".repeat(20)), complaint: /it is no ELF file/ },
    { what: "an empty file", bytes: Buffer.alloc(0), complaint: /it is no ELF file/ },
    { what: "another processor's", bytes: loopImage(0x80200000n, 62), complaint: /not for 64-bit RISC-V/ },
    {
      what: "cut in its headers",
      bytes: loopImage().subarray(0, 100),
      complaint: /truncated, 100 bytes of at least 120/,
    },
    { what: "cut in its code", bytes: loopImage().subarray(0, 122), complaint: /truncated, 122 bytes of at least 124/ },
    { what: "loaded too low", bytes: loopImage(0x80000000n), complaint: /it loads at 0x80000000/ },
  ])
    test(`image check: ${what}: one line that names the file and the mend`, async () => {
      const path = join(folder, "bad.elf");
      await writeFile(path, bytes);
      const message = (await checkElf(path)) ?? "";
      expect(message).toMatch(complaint);
      expect(message.startsWith(`${path}: `)).toBe(true);
      expect(message).toContain("mend it with: npm run build");
      expect(message).not.toContain("\n");
    });

  test("image check: no such file: one line that names it and the mend", async () => {
    expect(await checkElf("/nowhere/x.elf")).toBe("/nowhere/x.elf: no such image; mend it with: npm run build");
  });
});

describe("line queue", () => {
  test("line queue: chunks cut anywhere, CRLF and a last line without its end: whole lines, once", async () => {
    const queue = new LineQueue();
    for (const chunk of ["on", "e\r", "\ntwo\n\nfo", "ur"]) queue.push(chunk);
    setTimeout(() => {
      queue.push(" and more\n");
      queue.push("last");
      queue.end();
    }, 5);
    const lines: string[] = [];
    for await (const line of queue) lines.push(line);
    expect(lines).toEqual(["one", "two", "", "four and more", "last"]);
  });
});

describe("console pipe", () => {
  /** Whether a child that writes 20,000 single bytes ends within the time, though nobody reads them. */
  function endsUnread(stdout: number | "pipe", milliseconds: number): Promise<boolean> {
    const child = spawn("dd", ["if=/dev/zero", "bs=1", "count=20000"], { stdio: ["ignore", stdout, "ignore"] });
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
      child.once("exit", (code) => {
        clearTimeout(timer);
        child.stdout?.destroy();
        resolve(code === 0);
      });
    });
  }

  test("console pipe: thousands of single bytes, nobody reads: the writer never waits; with Node's own it would", async () => {
    const pipe = await openConsolePipe();
    expect(await endsUnread(pipe.writer, 60_000)).toBe(true);
    await closeWriter(pipe);
    let bytes = 0;
    for await (const chunk of pipe.reader) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(20_000);
    // Here a time is waited for, since nothing happens: a machine too slow for it is green as well.
    expect(await endsUnread("pipe", 500)).toBe(false);
  });
});

describe("driver", () => {
  test("driver: no QEMU on the path: missing, with the command that mends it", async () => {
    expect(await findQemu("/nowhere:")).toBeUndefined();
    expect(QEMU_MISSING).toContain("apt-get install qemu-system-misc");
  });

  test("driver: a bad image: refused before anything is started", async () => {
    const start = await startQemu({ elf: "/nowhere/x.elf", harts: 1, command: "/bin/false" });
    expect(start).toEqual({ kind: "bad-image", message: expect.stringContaining("no such image") });
  });

  test("driver: a command that does not exist: broken, with the reason", async () => {
    const start = await startQemu({ elf: loop, harts: 1, command: "/nowhere/qemu" });
    if (start.kind !== "started") throw new Error(start.message);
    const { kind, message } = (await start.run.exit) as { kind: string; message: string };
    expect(kind).toBe("broken");
    expect(message).toContain("/nowhere/qemu does not start");
  });

  test("driver: options: each becomes its arguments, the caller's last", () => {
    const options = { elf: "x", harts: 3, icount: true, aclint: true, bootArguments: "b", extraArguments: ["-z"] };
    expect(qemuArguments(options).join(" ")).toMatch(
      /^-machine virt,aclint=on -smp 3 .*-kernel x .*-icount shift=0,sleep=off -append b -z$/,
    );
    expect(qemuArguments({ elf: "x", harts: 1 }).join(" ")).not.toMatch(/icount|aclint|append/);
  });
});

const qemu = await findQemu();
describe.skipIf(qemu === undefined)(qemu === undefined ? "boards (skipped: no QEMU)" : "boards", () => {
  async function started(extra: { extraArguments?: string[]; signal?: AbortSignal } = {}): Promise<QemuRun> {
    const start = await startQemu({ elf: loop, harts: 1, ...extra });
    if (start.kind !== "started") throw new Error(start.message);
    return start.run;
  }

  async function exists(pid: number): Promise<boolean> {
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    return status !== "" && !/^\d+ \(.*\) [ZX]/.test(status);
  }

  test("board: its version is asked: digits and dots", async () => {
    expect(await qemuVersion(qemu ?? "")).toMatch(/^\d+\.\d+/);
    expect(await qemuVersion("/bin/true")).toBeUndefined();
  });

  test("board: a kernel that hangs is stopped: stopped, the process is gone, its lines end", async () => {
    const before = process.listenerCount("exit");
    const run = await started();
    expect(process.listenerCount("exit")).toBe(before + 1);
    const iterator = run.lines[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    expect(await exists(run.pid)).toBe(true);
    await run.stop();
    expect(await run.exit).toEqual({ kind: "stopped" });
    expect(await exists(run.pid)).toBe(false);
    while ((await iterator.next()).done !== true) continue;
    expect(process.listenerCount("exit")).toBe(before);
    await run.stop();
  });

  test("board: the signal is aborted: stopped", async () => {
    const controller = new AbortController();
    const run = await started({ signal: controller.signal });
    controller.abort();
    expect(await run.exit).toEqual({ kind: "stopped" });
  });

  test("board: someone else ends QEMU politely, which exits with 0: broken, never passed", async () => {
    const run = await started();
    for await (const line of run.lines) if (line.includes("OpenSBI")) process.kill(run.pid, "SIGTERM");
    expect((await run.exit).kind).toBe("broken");
  });

  test("board: the process that started it is killed without a chance to act: the board goes too", async () => {
    const driver = join(packageRoot, "dist", "machines", "virt", "qemu.js");
    const script = `const { startQemu } = await import(${JSON.stringify(driver)});
      const start = await startQemu({ elf: ${JSON.stringify(loop)}, harts: 1 });
      for await (const line of start.run.lines) if (line.includes("OpenSBI")) console.log(start.run.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [board] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(board.toString());
    expect(await exists(pid)).toBe(true);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    // The event is its end; only how often to look is chosen here.
    while (await exists(pid)) await sleep(20);
  });

  test("board: QEMU refuses an argument: broken, with its own words", async () => {
    const run = await started({ extraArguments: ["-machine", "nonesuch"] });
    const exit = await run.exit;
    expect(exit).toMatchObject({ kind: "broken", code: 1 });
    expect(exit.kind === "broken" && exit.message).toMatch(/nonesuch|unsupported|-machine help/);
  });
});
