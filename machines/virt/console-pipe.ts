// Console pipe: a real pipe between QEMU's console and this process.
//
// Node gives a child a socket for its standard output. QEMU writes the console byte by byte, and a socket charges
// each write for a whole packet: after a few hundred unread bytes it is full, and the guest waits for its UART. A
// pipe packs the bytes and takes 64 KiB of them, so how fast the reader is cannot change a run under -icount.
//
// Owner: the caller closes `writer` once the child has it; `reader` ends when the child's end is closed.
// Invariant: nothing is left in the file system when this returns.
import { execFile } from "node:child_process";
import { close, constants, open } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface ConsolePipe {
  reader: Socket;
  /** File descriptor for the child. */
  writer: number;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const run = promisify(execFile);

/** Throws when the temporary folder takes no pipe. */
export async function openConsolePipe(): Promise<ConsolePipe> {
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-console-"));
  try {
    const path = join(folder, "console");
    await run("mkfifo", ["-m", "600", path]);
    // The reading end first, without waiting for a writer; then the writing end finds a reader.
    const reading = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = await openFile(path, constants.O_WRONLY).catch(async (error: unknown) => {
      await closeFile(reading);
      throw error;
    });
    return { reader: new Socket({ fd: reading, readable: true, writable: false }), writer };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Closes this process's copy of the writing end. */
export async function closeWriter(pipe: ConsolePipe): Promise<void> {
  await closeFile(pipe.writer);
}
