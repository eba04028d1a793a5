// Program request: `--program FILE:5 --qos Interactive --cpu 1 --count 8`, as often as one likes: what is to run.
//
// Invariant: the flags belong to the --program before them, in the order of the command line.
// Partners: boot.ts adds the flags; user-programs.ts makes an image and a task table of what comes out.

import { type Command, InvalidArgumentError, Option } from "commander";
import { CPUS_MAX } from "../abi/layout.ts";
import { Qos, QOS_COUNT } from "../abi/qos.ts";
import { CPUS_IN_TURN, TASK_ROWS_MAX } from "../abi/task-table.ts";
import { parseCount, parseWhole } from "./argument.ts";

export interface ProgramRequest {
  /** As given. */
  readonly path: string;
  /** Of the programs of the file. */
  readonly program: number;
  readonly argument: bigint;
  readonly qos: Qos;
  /** CPUS_IN_TURN unless given. */
  readonly cpu: number;
  readonly count: number;
}

type Draft = { -readonly [Key in keyof ProgramRequest]: ProgramRequest[Key] };

const CLASSES: readonly string[] = Array.from({ length: QOS_COUNT }, (_, qos) => Qos[qos] ?? "");

/** Adds the flags. Returns the list that parsing fills. */
export function addProgramFlags(command: Command): readonly ProgramRequest[] {
  const drafts: Draft[] = [];
  const last = (flag: string): Draft => {
    const draft = drafts.at(-1);
    if (draft === undefined)
      throw new InvalidArgumentError(`${flag} belongs to the --program before it; there is none.`);
    return draft;
  };
  const programs = new Option(
    "--program <file[#program][:argument]>",
    "run this program instead of the default tasks: .ts (AssemblyScript), .c or .wasm; may be repeated",
  ).argParser((text: string) => void drafts.push(parseProgram(text)));
  const qos = new Option("--qos <class>", `its QoS class: ${CLASSES.join(", ")} (default: Normal)`);
  const cpu = new Option("--cpu <cpu>", "its CPU (default: the CPUs in turn)");
  const count = new Option("--count <tasks>", "so many tasks of it (default: 1)");
  command
    .addOption(programs)
    .addOption(qos.argParser((text: string) => void (last("--qos").qos = parseClass(text))))
    .addOption(cpu.argParser((text: string) => void (last("--cpu").cpu = parseWhole(text))))
    .addOption(count.argParser((text: string) => void (last("--count").count = parseTasks(text))));
  return drafts;
}

function parseProgram(text: string): Draft {
  const [, file = text, program = "0", argument = "0"] =
    /^(.*?\.(?:ts|c|wasm))(?:#([^:]*))?(?::(.*))?$/s.exec(text) ?? [];
  return {
    path: file,
    program: parseWhole(program),
    argument: parseArgument(argument),
    qos: Qos.Normal,
    cpu: CPUS_IN_TURN,
    count: 1,
  };
}

/** An i64. */
function parseArgument(text: string): bigint {
  const value = /^-?(?:\d+|0x[\da-f]+)$/i.test(text)
    ? text.startsWith("-")
      ? -BigInt(text.slice(1))
      : BigInt(text)
    : null;
  if (value === null || value !== BigInt.asIntN(64, value))
    throw new InvalidArgumentError(`"${text}" is no argument of a program: give a whole number of 64 bits.`);
  return value;
}

function parseClass(text: string): Qos {
  const found = CLASSES.findIndex((name) => name.toLowerCase() === text.toLowerCase());
  if (found < 0) throw new InvalidArgumentError(`Give one of ${CLASSES.join(", ")}.`);
  return found;
}

function parseTasks(text: string): number {
  const count = parseCount(text);
  if (count > TASK_ROWS_MAX) throw new InvalidArgumentError(`At most ${TASK_ROWS_MAX} tasks can be asked for.`);
  return count;
}

/** What is wrong with the requests taken together, in one line; null when nothing is. */
export function conflictOfPrograms(requests: readonly ProgramRequest[], harts: number): string | null {
  const cpus = Math.min(harts, CPUS_MAX);
  const beyond = requests.find(({ cpu }) => cpu >= cpus);
  if (beyond !== undefined)
    return `--cpu ${beyond.cpu} of ${beyond.path}: there ${cpus === 1 ? "is 1 CPU" : `are ${cpus} CPUs`}, from 0; give --smp`;
  const tasks = requests.reduce((sum, { count }) => sum + count, 0);
  return tasks > TASK_ROWS_MAX ? `--program asks for ${tasks} tasks; at most ${TASK_ROWS_MAX} can be` : null;
}

/** The task table's words (abi/task-table.ts). programs: the number of each request's program in the image. */
export function taskTableOf(requests: readonly ProgramRequest[], programs: readonly number[]): number[] {
  const rows = requests.flatMap(({ argument, qos, cpu, count }, index) => {
    const low = Number(BigInt.asIntN(32, argument));
    const high = Number(BigInt.asIntN(32, argument >> 32n));
    return Array.from({ length: count }, () => [programs[index] ?? 0, qos, cpu, low, high]);
  });
  return [rows.length, ...rows.flat()];
}
