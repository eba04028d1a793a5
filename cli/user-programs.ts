// User programs: the files that --program names, compiled and made ready for a machine, and the task table for them.
//
// A file that is named twice is one module; its programs come after the built-in ones, in the order of the command line.
// What a compiler or the check refuses is the user's to mend: one line, after the compiler's own.
// Partners: program-request.ts; machine-factory.ts, which boots what comes out; toolchain/program-*.ts.

import { basename, join } from "node:path";
import type { Artifacts } from "../toolchain/build.ts";
import type { ProgramModule } from "../toolchain/program-module.ts";
import type { CommandEnding } from "./exit-code.ts";
import { progress } from "./package-contents.ts";
import { type ProgramRequest, taskTableOf } from "./program-request.ts";

export type Refused = Exclude<CommandEnding, { kind: "done" }>;

export interface UserPrograms {
  readonly kind: "ready";
  readonly modules: readonly ProgramModule[];
  readonly taskTable: readonly number[];
  /** Of the programs, after the built-in ones. */
  readonly names: readonly string[];
}

/** Programs of the built-in image, before those of the user: user/index.ts, and FIRST_PROGRAM of user/sdk.ts. */
export const BUILT_IN_PROGRAMS = 9;

/** Where results are kept, in the working folder. */
export const programFolder = (): string => join(process.cwd(), ".hartbeat", "programs");

/** Compiles and checks every file. tools: what the toolchain is, for the keys of what is kept. */
export async function findPrograms(
  requests: readonly ProgramRequest[],
  tools: string,
): Promise<UserPrograms | Refused> {
  const paths = [...new Set(requests.map(({ path }) => path))];
  const modules = new Map<string, ProgramModule>();
  for (const path of paths) {
    const module = await moduleOf(path, tools);
    if ("kind" in module) return module;
    modules.set(path, module);
  }
  return numberedPrograms(requests, modules);
}

/** The built artifacts, in a clone. */
export async function findArtifacts(): Promise<{ readonly kind: "built"; readonly artifacts: Artifacts } | Refused> {
  const { buildArtifacts } = await import("../toolchain/build.ts");
  const built = await buildArtifacts({ progress });
  return built.kind === "refused" ? refusedBy(built.step, "the kernel's sources", built.lines, "red") : built;
}

/** Work that needs the packages of the toolchain, which a published package does not carry. */
export async function withTools<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const { toolsMissing } = await import("../toolchain/program-source.ts");
    return { kind: "missing-tool", message: await toolsMissing() };
  }
}

async function moduleOf(path: string, tools: string): Promise<ProgramModule | Refused> {
  const { programWasm } = await import("../toolchain/program-source.ts");
  const source = await programWasm(path, programFolder(), tools);
  switch (source.kind) {
    case "unreadable":
      return { kind: "usage", message: source.message };
    case "missing-compiler":
      return { kind: "missing-tool", message: source.message };
    case "refused":
      return refusedBy(source.compiler, path, source.lines, "usage");
    case "compiled":
      break;
    default:
      return source satisfies never;
  }
  for (const line of source.warnings) process.stderr.write(`${line}\n`);
  const { checkProgram } = await import("../toolchain/program-module.ts");
  const check = checkProgram(source.wasm);
  return check.kind === "accepted" ? check.module : { kind: "usage", message: `${path}: ${check.reason}` };
}

function numberedPrograms(
  requests: readonly ProgramRequest[],
  modules: ReadonlyMap<string, ProgramModule>,
): UserPrograms | Refused {
  const shared = [...modules].filter(([, module]) => module.shared).map(([path]) => path);
  if (shared.length > 1)
    return {
      kind: "usage",
      message: `${shared[1]}: a second module with a shared memory, after ${shared[0]}; one can be`,
    };
  const first = new Map<string, number>();
  let next = BUILT_IN_PROGRAMS;
  for (const [path, { count }] of modules) {
    first.set(path, next);
    next += count;
  }
  const wrong = requests.find(({ path, program }) => program >= (modules.get(path)?.count ?? 0));
  if (wrong !== undefined) {
    const count = modules.get(wrong.path)?.count ?? 0;
    return { kind: "usage", message: `${wrong.path}: it has no program ${wrong.program}; it has ${count}, from 0` };
  }
  const numbers = requests.map(({ path, program }) => (first.get(path) ?? 0) + program);
  const taskTable = taskTableOf(requests, numbers);
  return { kind: "ready", modules: [...modules.values()], taskTable, names: namesOf(modules) };
}

/** `pipeline.ts`, or `pipeline.ts#1` where a file has several. */
function namesOf(modules: ReadonlyMap<string, ProgramModule>): string[] {
  return [...modules].flatMap(([path, { count }]) =>
    Array.from({ length: count }, (_, number) => (count === 1 ? basename(path) : `${basename(path)}#${number}`)),
  );
}

/** Prints the lines of who refuses, which come before our own line. */
export function refusedBy(who: string, what: string, lines: readonly string[], kind: "usage" | "red"): Refused {
  for (const line of lines) process.stderr.write(`${line}\n`);
  const message = `${what}: ${who} refuses it, see above`;
  if (kind === "usage") return { kind, message };
  process.stderr.write(`error: ${message}\n`);
  return { kind };
}
