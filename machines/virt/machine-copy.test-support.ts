// Machine copy: the machine layer's C and assembly in a temporary folder, where tests change and compile it.
//
// Owner: one test file, which calls `remove` at its end.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPILE_FLAGS, type Compiler, machineFolder } from "../../toolchain/gcc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { userModulesHeader } from "../../toolchain/user-modules.ts";

export class MachineCopy {
  readonly folder = mkdtempSync(join(tmpdir(), "hartbeat-machine-copy-"));
  /** For gcc, run in the folder; without the reports that it writes beside its objects. */
  readonly flags: readonly string[] = [
    ...COMPILE_FLAGS.filter((flag) => !/stack-usage|callgraph/.test(flag)),
    ...["-I", ".", "-I", join(packageRoot, "toolchain"), "-DKERNEL_H"],
  ];

  constructor(private readonly compiler: Compiler | undefined) {}

  /** The machine layer's sources for an image of the built-in programs alone, and files beside them, by name. */
  copySources(files: Readonly<Record<string, string>>): void {
    cpSync(machineFolder, this.folder, { recursive: true, filter: (path) => !/fixtures|\.ts$/.test(path) });
    writeFileSync(join(this.folder, "user-modules.h"), userModulesHeader([]));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
  }

  /** Runs a tool of the compiler (`gcc`, `objdump`) in the folder; what it prints. */
  tool(name: string, args: readonly string[]): string {
    return execFileSync(`${this.compiler?.prefix ?? ""}${name}`, args, { cwd: this.folder, encoding: "utf8" });
  }

  symbols(elf: string): ReadonlyMap<string, bigint> {
    const lines = this.tool("nm", [elf])
      .split("\n")
      .filter((line) => line !== "");
    return new Map(
      lines.map((line) => line.split(" ")).map(([address = "0", , name = ""]) => [name, BigInt(`0x${address}`)]),
    );
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  /** Runs `use` while a file has another text. */
  withText(file: string, text: string, use: () => void): void {
    const before = this.read(file);
    writeFileSync(join(this.folder, file), text);
    try {
      use();
    } finally {
      writeFileSync(join(this.folder, file), before);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
