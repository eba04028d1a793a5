// QEMU driver: starts the board with an image, hands out its console line by line, and never leaves it behind.
//
// Owner: the processes in `running`; each is killed when this process ends, by itself or by a signal.
// Invariants: a mistake of the caller (no QEMU, no image, half an image) is an outcome with one line, before any
// process is started. A line is delivered once, whole, without its line end.
// A killed process cannot kill its boards: on Linux the system does, which util-linux's setpriv asks it for before it
// becomes QEMU. Not covered: SIGKILL where there is no setpriv.
// Partners: machine.c, whose power-off codes are read back here; cli/ and proof/, which consume the lines.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { PowerOff } from "../../abi/results.ts";
import { closeWriter, type ConsolePipe, openConsolePipe } from "./console-pipe.ts";
import { checkElf } from "./elf.ts";
import { LineQueue } from "./line-queue.ts";

export interface QemuOptions {
  /** Path of the image. */
  elf: string;
  /** 1 to CPUS_MAX. */
  harts: number;
  /** One virtual clock for all harts: the same run every time. */
  icount?: boolean;
  /** The board with the ACLINT's devices: IPIs without the firmware. */
  aclint?: boolean;
  /** The firmware's boot arguments, found in the device tree under /chosen. */
  bootArguments?: string;
  /** Of the board, in MiB. */
  memoryMebibytes?: number;
  /** Open files: the board's memory, of `memoryMebibytes`, which others may read meanwhile, and the image in place of `elf`. */
  shared?: { memory: number; image: number };
  /** Handed to QEMU after everything else. */
  extraArguments?: readonly string[];
  /** Ends the run. */
  signal?: AbortSignal;
  /** The emulator; the first one on the PATH when absent. */
  command?: string;
}

/** How a run ended. */
export type QemuExit =
  /** The kernel powered the board off with this result. */
  | { kind: "powered-off"; result: PowerOff }
  /** `stop()` or the signal ended it. */
  | { kind: "stopped" }
  /** QEMU ended on its own; message: the last line that it wrote to stderr, or how it ended. */
  | { kind: "broken"; code: number | null; signal: NodeJS.Signals | null; message: string };

export interface QemuRun {
  /** The console, the firmware's own lines first. Ends when the console is closed; iterate it once. */
  lines: AsyncIterable<string>;
  exit: Promise<QemuExit>;
  /** Kills the board; resolves when it is gone. May be called at any time, any number of times. */
  stop(): Promise<void>;
  pid: number;
}

export type QemuStart =
  | { kind: "started"; run: QemuRun }
  /** message: one line that states what is wrong and how to mend it. */
  | { kind: "missing-qemu"; message: string }
  | { kind: "bad-image"; message: string }
  | { kind: "no-console"; message: string };

const COMMAND = "qemu-system-riscv64";

export const QEMU_MISSING = `no ${COMMAND} on the PATH; mend it with: apt-get install qemu-system-misc`;

/** What the test device's exit codes are counted from (EXIT_CODE_BASE in machine.c). */
const EXIT_CODE_BASE = 16;

const running = new Set<ChildProcess>();

/** Absolute path of the emulator, or undefined when the PATH has none. */
export function findQemu(path = process.env["PATH"] ?? ""): Promise<string | undefined> {
  return findOnPath(COMMAND, path);
}

async function findOnPath(name: string, path = process.env["PATH"] ?? ""): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((one) => one !== "")) {
    const file = join(folder, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** `7.2.22`, or undefined when the command does not answer like QEMU. */
export function qemuVersion(command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, ["--version"], { timeout: 10_000 }, (error, stdout) =>
      resolve(error === null ? /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1] : undefined),
    );
  });
}

/** QEMU's arguments for a run. */
export function qemuArguments(options: QemuOptions): string[] {
  return [
    ...["-machine", options.aclint === true ? "virt,aclint=on" : "virt"],
    ...["-smp", String(options.harts), "-m", `${options.memoryMebibytes ?? 128}M`],
    ...["-bios", "default", "-kernel", options.shared === undefined ? options.elf : `/dev/fd/${IMAGE_FILE}`],
    ...["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"],
    ...(options.icount === true ? ["-icount", "shift=0,sleep=off"] : []),
    ...(options.bootArguments === undefined ? [] : ["-append", options.bootArguments]),
    ...(options.shared === undefined ? [] : sharedMemory(options)),
    ...(options.extraArguments ?? []),
  ];
}

/** What the board's process has these files as, after its three streams. */
const MEMORY_FILE = 3;
const IMAGE_FILE = 4;

function sharedMemory({ memoryMebibytes = 128 }: QemuOptions): string[] {
  const memory = `memory-backend-file,id=memory,size=${memoryMebibytes}M,mem-path=/dev/fd/${MEMORY_FILE},share=on`;
  return ["-object", memory, "-machine", "memory-backend=memory"];
}

/** Starts the board. Nothing runs unless the outcome is `started`. */
export async function startQemu(options: QemuOptions): Promise<QemuStart> {
  const command = options.command ?? (await findQemu());
  if (command === undefined) return { kind: "missing-qemu", message: QEMU_MISSING };
  const fault = await checkElf(options.elf);
  if (fault !== undefined) return { kind: "bad-image", message: fault };

  const pipe = await openConsolePipe().catch((error: Error) => error);
  if (pipe instanceof Error) return { kind: "no-console", message: consoleMissing(pipe) };
  return { kind: "started", run: await follow(command, options, pipe) };
}

/** The command and its arguments, so that it dies when the thread that starts it does; unchanged without setpriv. */
async function boundToParent(command: string, args: readonly string[]): Promise<[string, readonly string[]]> {
  const setpriv = await findOnPath("setpriv");
  // What is no program is left for spawn to report.
  if (setpriv === undefined || !(await isProgram(command))) return [command, args];
  return [setpriv, ["--pdeathsig", "KILL", "--", command, ...args]];
}

async function follow(command: string, options: QemuOptions, pipe: ConsolePipe): Promise<QemuRun> {
  const [program, args] = await boundToParent(command, qemuArguments(options));
  // A process group of its own: Ctrl-C at a terminal is this process's to answer, and QEMU would answer it with
  // exit code 0, which is what a passed run ends with.
  const { shared } = options;
  const files = shared === undefined ? [] : [shared.memory, shared.image];
  const child = spawn(program, args, { stdio: ["ignore", pipe.writer, "pipe", ...files], detached: true });
  keepTrack(child);
  const lines = new LineQueue();
  const { reader } = pipe;
  reader.setEncoding("latin1").on("data", (text: string) => lines.push(text));
  // A read error closes the reader too; how the run ended explains the rest.
  reader.on("error", () => undefined);
  const read = new Promise<void>((resolve) => reader.once("close", () => resolve()));
  void read.then(() => lines.end());
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4096);
  });

  let stopped = false;
  const ended = new Promise<QemuExit>((resolve) => {
    child.once("error", (error) =>
      resolve({ kind: "broken", code: null, signal: null, message: `${command} does not start: ${error.message}` }),
    );
    child.once("close", (code, signal) => resolve(stopped ? { kind: "stopped" } : describeExit(code, signal, errors)));
  });
  await closeWriter(pipe);
  // The console's last byte may come after the process's end: an exit is reported when there is nothing left to read.
  const exit = ended.then((outcome) => read.then(() => outcome));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) stopped = true;
    // SIGKILL, for the same reason.
    child.kill("SIGKILL");
    await exit;
  };
  const abort = (): void => void stop();
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  void exit.then(() => options.signal?.removeEventListener("abort", abort));
  return { lines, exit, stop, pid: child.pid ?? 0 };
}

function consoleMissing(error: Error): string {
  const reason = error.message.trim().split("\n").at(-1) ?? "";
  return `no pipe for QEMU's console (${reason}); mend it with: a TMPDIR that can be written to`;
}

function describeExit(code: number | null, signal: NodeJS.Signals | null, errors: string): QemuExit {
  const terminated = /terminating on signal/.test(errors);
  if (code === 0 && !terminated) return { kind: "powered-off", result: PowerOff.Passed };
  if (code === EXIT_CODE_BASE + PowerOff.Failed) return { kind: "powered-off", result: PowerOff.Failed };
  if (code === EXIT_CODE_BASE + PowerOff.Panic) return { kind: "powered-off", result: PowerOff.Panic };
  const reported = errors.trim().split("\n").at(-1) ?? "";
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return { kind: "broken", code, signal, message: reported === "" ? `QEMU ended with ${how}` : reported };
}

/** Kills every board that still runs. */
function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Node ends without an "exit" event when a signal that nobody handles ends it, so those are handled too. */
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function killAllAndEnd(signal: NodeJS.Signals): void {
  killAll();
  // Whoever else listens decides what the signal means; alone, this module must not swallow it.
  if (process.listenerCount(signal) > 1) return;
  process.off(signal, killAllAndEnd);
  process.kill(process.pid, signal);
}

function keepTrack(child: ChildProcess): void {
  if (running.size === 0) {
    process.on("exit", killAll);
    for (const signal of ENDING_SIGNALS) process.on(signal, killAllAndEnd);
  }
  running.add(child);
  const forget = (): void => {
    if (!running.delete(child) || running.size > 0) return;
    process.off("exit", killAll);
    for (const signal of ENDING_SIGNALS) process.off(signal, killAllAndEnd);
  };
  child.once("close", forget);
  child.once("error", forget);
}
