// Interrupt: runs the bundled command in a process of its own and sends SIGINT when its progress shows a moment.
//
// Owner: tests only. The moment is an event, not a time: the progress line, which is drawn because stderr poses as a
// terminal. The search under test must be so long that it cannot end within the delivery of a signal.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** Makes stderr a terminal for the command that is started after it. */
const POSE_AS_TERMINAL = "data:text/javascript,process.stderr.isTTY = true;";

export interface InterruptedRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the moment came; if not, no signal was sent. */
  readonly isInterrupted: boolean;
}

/** `program`: what Node runs, and its arguments. */
export async function interruptAt(moment: RegExp, program: readonly string[], folder: string): Promise<InterruptedRun> {
  const child = spawn(process.execPath, ["--import", POSE_AS_TERMINAL, ...program], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let [stdout, stderr] = ["", ""];
  let isInterrupted = false;
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
    if (isInterrupted || !moment.test(stderr)) return;
    isInterrupted = true;
    child.kill("SIGINT");
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr, isInterrupted };
}
