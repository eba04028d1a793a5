// hartbeat mutate: what it prints and how it ends, without trying a mutant; verify/mutants/mutants.test.ts tries some.

import { expect, test } from "vitest";
import { main } from "./main.ts";
import { captureOutput } from "./testing/captured-command.ts";

const output = captureOutput();

const command = (args: string): Promise<number> => main(["mutate", ...args.split(" ")]);

test("mutate: a file without mutants: exit 2, and one line that names those with some", async () => {
  expect(await command("--files no-such --list")).toBe(2);
  expect(output.err).toMatch(
    /^error: no mutant lies in kernel\/no-such\.ts; there are some in [^\n]*scheduler\.ts[^\n]*\n$/,
  );
  expect(output.out).toBe("");
});

test("mutate: an id of no mutant: exit 4, and one line", async () => {
  expect(await command("--mutant nothing")).toBe(4);
  expect(output.err).toMatch(/^error: no mutant is selected; see mutate --list\n$/);
});

test("mutate: --list --json of a seeded sample: one object a mutant, the same twice", async () => {
  expect(await command("--list --json --files mailbox --sample 5 --seed 3")).toBe(0);
  const lines = output.out.trimEnd().split("\n");
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ version: 2, file: "kernel/mailbox.ts" });
  const first = output.out;
  output.out = "";
  expect(await command("--list --json --files mailbox --sample 5 --seed 3")).toBe(0);
  expect(output.out).toBe(first);
});

test("mutate: --layer virt --list: the machine layer's mutants, by file and line", async () => {
  expect(await command("--layer virt --list --files trap.S")).toBe(0);
  const lines = output.out.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) expect(line).toMatch(/^trap\.S:\d+ [a-z-]+ \d+: .+ becomes .+$/);
});
