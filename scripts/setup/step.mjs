// Step: one thing that the set-up does, announced in one line on stderr and run without a shell.
//
// Plain JavaScript without dependencies: this runs on a machine that has Node and nothing else yet.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Absolute path of the package's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Says on stderr what is being done; data alone goes to stdout. */
export function say(message) {
  process.stderr.write(`hartbeat: ${message}\n`);
}

/** Ends the process with one line: what failed, and what to do about it. */
export function giveUp(message, exitCode = 3) {
  say(message);
  process.exit(exitCode);
}

/** The flags of this script that were given. Ends the process where one is not among the known. */
export function flagsOf(known) {
  const given = process.argv.slice(2);
  const unknown = given.find((flag) => !known.includes(flag));
  if (unknown === undefined) return given;
  return giveUp(`unknown flag ${unknown}; ${known.length === 0 ? "there is none" : `known: ${known.join(", ")}`}`, 2);
}

/**
 * Runs a program from the package's folder and waits for it.
 * Its stdout goes to our stderr, so that set-up never mixes with data; `quiet` keeps both until it fails.
 * Returns { ok, status }; status is null where the program could not be started.
 */
export function run(program, args, { quiet = false, env = {} } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", process.stderr, process.stderr],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const ok = result.status === 0;
  if (!ok && quiet) process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  return { ok, status: result.status };
}

/** Runs a Node program of this package, such as the compiler; see run(). */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}
