// Debian: the system packages that the board, the explorer's examples and the readers of traces need, installed where apt can and may do it.
//
// Nothing here is needed for the embedded machine. Where apt is absent or not allowed, one line states what to
// install, and the tests that need it report themselves as skipped.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { run, say } from "./step.mjs";

/** Packages, and the file whose presence shows that one is there. */
const PACKAGES = [
  { name: "qemu-system-misc", file: "/usr/bin/qemu-system-riscv64" },
  { name: "gcc-riscv64-unknown-elf", file: "/usr/bin/riscv64-unknown-elf-gcc" },
  { name: "picolibc-riscv64-unknown-elf", file: "/usr/lib/picolibc/riscv64-unknown-elf/include" },
  { name: "opensbi", file: "/usr/lib/riscv64-linux-gnu/opensbi" },
  // The explorer's examples in C and Rust.
  { name: "clang", file: "/usr/bin/clang" },
  { name: "lld", file: "/usr/bin/wasm-ld" },
  { name: "rustc", file: "/usr/bin/rustc" },
  { name: "libstd-rust-dev-wasm32", file: "/usr/lib/rustlib/wasm32-unknown-unknown" },
  // Readers of exported traces.
  { name: "babeltrace2", file: "/usr/bin/babeltrace2" },
  { name: "protobuf-compiler", file: "/usr/bin/protoc" },
  // Examples of workloads: 160 KB.
  { name: "rt-app", file: "/usr/share/doc/rt-app" },
];

const TOOLS = [
  ...["qemu-system-riscv64", "riscv64-unknown-elf-gcc", "clang", "wasm-ld", "rustc"],
  ...["babeltrace2", "protoc"],
];

/** Installs what is missing, or prints how to. Never fails: the tests report what they could not run. */
export function ensureDebianPackages() {
  const missing = PACKAGES.filter((entry) => !existsSync(entry.file)).map((entry) => entry.name);
  if (missing.length === 0) return;
  if (!existsSync("/usr/bin/apt-get")) {
    // Elsewhere the same tools have other names and places: what counts is whether they answer.
    if (TOOLS.every(answers)) return;
    say("no apt here: `npx hartbeat doctor` lists what the tests need on this system");
    return;
  }
  const prefix = rootPrefix();
  const command = `apt-get install ${missing.join(" ")}`;
  if (prefix === null) {
    say(`not root and no password-free sudo: for all tests run: sudo ${command}`);
    return;
  }
  say(`installing Debian packages: ${missing.join(" ")}`);
  apt(prefix, ["update", "-q"]);
  const { ok } = apt(prefix, ["install", "-q", "-y", "--no-install-recommends", ...missing]);
  if (!ok) say(`the installation failed; by hand: ${command}`);
}

/** What to put before a command so that it runs as root: nothing, sudo, or null where that is not to be had. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore" });
  return sudo.status === 0 ? ["sudo", "-n"] : null;
}

function apt(prefix, args) {
  const [program, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
  return run(program, rest, { quiet: true });
}

function answers(program) {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}
