// hartbeat doctor: what is installed, in which version, what is missing and the command that mends it.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { styleText } from "node:util";
import type { Command } from "commander";
import { findQemu, qemuVersion } from "../machines/virt/qemu.ts";
import { compilerVersion, findCompiler } from "../toolchain/gcc.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import type { CommandEnding } from "./exit-code.ts";
import { hasSources } from "./package-contents.ts";

/** One thing that something needs. */
interface Finding {
  readonly name: string;
  readonly neededFor: string;
  /** null where it is missing. */
  readonly version: string | null;
  readonly mend: Mend;
  /** What would be better, where it is there and works. */
  readonly note?: string;
}

/** The command that installs it, for each kind of system. */
interface Mend {
  readonly debian: string;
  readonly macos: string;
  readonly other: string;
}

/** The fastest version that was measured: processor time of `explore --kernel refused-send --fast`, median of pairs. */
const FASTEST_MAJOR = 26;
const FASTEST_NOTE = `a newer one explores faster: Node.js ${FASTEST_MAJOR} takes 0.76 of the time of Node.js 20`;

const FIRMWARE = "opensbi-riscv64-generic-fw_dynamic.bin";

export function addDoctor(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("doctor")
    .description("say what is installed, what is missing and how to mend it")
    .option("--json", "one JSON object a finding")
    .action(async (flags: { readonly json?: true }) => {
      const findings = await examine();
      const show = flags.json === true ? toJson : toLine;
      for (const finding of findings) process.stdout.write(`${show(finding)}\n`);
      const missing = findings.filter((finding) => finding.version === null).map((finding) => finding.name);
      end(
        missing.length === 0 ? { kind: "done" } : { kind: "missing-tool", message: `missing: ${missing.join(", ")}` },
      );
    });
}

/** Looks at this system; changes nothing. A published package builds nothing, so it needs no compilers. */
async function examine(): Promise<Finding[]> {
  const node: Finding = {
    name: "Node.js",
    neededFor: "everything",
    version: process.versions.node,
    mend: { debian: "apt-get install nodejs", macos: "brew install node", other: "see https://nodejs.org" },
    ...(Number(process.versions.node.split(".")[0]) < FASTEST_MAJOR ? { note: FASTEST_NOTE } : {}),
  };
  return [node, ...(hasSources ? await buildTools() : []), ...(await boardTools())];
}

async function boardTools(): Promise<Finding[]> {
  const qemu = await findQemu();
  return [
    {
      name: "QEMU",
      neededFor: "running virt",
      version: qemu === undefined ? null : ((await qemuVersion(qemu)) ?? null),
      mend: packageMend("qemu-system-misc", "qemu"),
    },
    {
      name: "OpenSBI",
      neededFor: "running virt",
      version: qemu === undefined ? null : firmwareVersion(qemu),
      mend: packageMend("opensbi", "qemu"),
    },
  ];
}

async function buildTools(): Promise<Finding[]> {
  const compiler = await findCompiler();
  return [
    ...["assemblyscript", "binaryen"].map(packageFinding),
    {
      name: "RISC-V gcc",
      neededFor: "building virt's image",
      version: compiler === undefined ? null : await compilerVersion(compiler),
      mend: packageMend("gcc-riscv64-unknown-elf", "riscv64-elf-gcc"),
    },
  ];
}

/** A development dependency; looked for as Node itself would, from the package's folder upwards. */
function packageFinding(name: string): Finding {
  const mend: Mend = { debian: "npm ci", macos: "npm ci", other: "npm ci" };
  let folder = packageRoot;
  while (!existsSync(join(folder, "node_modules", name)) && dirname(folder) !== folder) folder = dirname(folder);
  return { name, neededFor: "building the kernel", version: manifestVersion(join(folder, "node_modules", name)), mend };
}

function manifestVersion(folder: string): string | null {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return null;
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : null;
}

/** QEMU brings the firmware, or finds it in one of its data folders; only a package manager knows its version. */
function firmwareVersion(qemu: string): string | null {
  const folders = outputOf(qemu, ["-L", "help"]).split("\n");
  if (!folders.some((folder) => existsSync(join(folder.trim(), FIRMWARE)))) return null;
  const version = outputOf("dpkg-query", ["-W", "-f=${Version}", "opensbi"]);
  return version === "" ? "there, of unknown version" : version;
}

/** What a program writes to stdout; nothing where it fails or is not there. */
function outputOf(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
  return result.status === 0 ? result.stdout : "";
}

function packageMend(debian: string, homebrew: string): Mend {
  return {
    debian: `apt-get install ${debian}`,
    macos: `brew install ${homebrew}`,
    other: `install ${homebrew} with your system's package manager`,
  };
}

function toLine(finding: Finding): string {
  const name = finding.name.padEnd(15);
  if (finding.version === null) {
    return `${styled("red", "✗")} ${name} missing, needed for ${finding.neededFor}: ${mendFor(finding)}`;
  }
  const needs = finding.note === undefined ? finding.neededFor : `${finding.neededFor}; ${finding.note}`;
  return `${styled("green", "✓")} ${name} ${finding.version.padEnd(26)} ${styled("dim", needs)}`;
}

function styled(format: "green" | "red" | "dim", text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

function toJson(finding: Finding): string {
  const { name, neededFor, version, note } = finding;
  const mend = mendFor(finding);
  return JSON.stringify({
    kind: "finding",
    format: "hartbeat-doctor",
    version: 1,
    name,
    neededFor,
    found: version,
    mend,
    note,
  });
}

function mendFor(finding: Finding): string {
  if (process.platform === "darwin") return finding.mend.macos;
  return existsSync("/usr/bin/apt-get") ? finding.mend.debian : finding.mend.other;
}
