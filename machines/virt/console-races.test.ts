// console.c, compiled to wasm with a UART in memory and a small ring, in every interleaving of two or three harts; and
// breaks of it that the exploration must report.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explore, type Exploration } from "../../explore/index.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const missing = ["clang", "wasm-ld"].filter((tool) => spawnSync(tool, ["--version"]).error);
const title = `console, explored${missing.length > 0 ? ` (skipped: no ${missing.join(", no ")})` : ""}`;

const COMPILE =
  "--target=wasm32-unknown-unknown -matomics -mbulk-memory -mmutable-globals -ftls-model=local-exec -ffreestanding " +
  "-O1 -g -Wall -Wextra -Werror -c -o harts.o harts.c";
const LINK =
  "--no-entry --import-memory --shared-memory --max-memory=131072 -z stack-size=4096 -o harts.wasm harts.o " +
  ["__stack_pointer", "__wasm_init_tls", "__tls_size", "__tls_align", "__wasm_call_ctors"]
    .map((name) => `--export=${name}`)
    .join(" ");

/** What a hart does, one trap after the other: the operations of fixtures/console/harts.c, in the order of their numbers. */
const OPERATIONS = ["end", "user", "kernel", "tick", "power-off", "panic", "signal", "look"];
const script = (...names: string[]): number =>
  names.reduceRight((rest, name) => rest * 8 + OPERATIONS.indexOf(name), 0);

/** Past it an exploration is incomplete, and so not passed: four times what the largest takes. */
const TRANSITIONS_MAX = 4_000_000;

interface Scenario {
  readonly about: string;
  readonly threads: readonly (readonly [name: string, ...args: number[]])[];
  /** `whole` unless given: see harts.c. */
  readonly final?: string;
  /** Some hart stays where it is in the end: it has powered off, or stopped. */
  readonly rests?: true;
}

const SCENARIOS = {
  users: {
    about: "a user's line each: whole, none lost but what was refused",
    threads: [
      ["hart", 0, script("user")],
      ["hart", 1, script("user")],
      ["hart", 2, script("user")],
    ],
  },
  mixed: {
    about: "lines of users and of the kernel, and ticks: whole, in order, none of the kernel's refused",
    threads: [
      ["hart", 0, script("kernel", "kernel")],
      ["hart", 1, script("user", "user")],
      ["hart", 2, script("tick")],
    ],
  },
  reported: {
    about: "a hart writes once another has given it a signal: its line comes after the other's",
    threads: [
      ["hart", 0, script("user", "signal")],
      ["hart", 1, script("look", "user")],
      ["hart", 2, script("tick")],
    ],
  },
  alone: {
    about: "one hart, four lines: none refused, each sent at once",
    threads: [["hart", 0, script("user", "user", "user", "user")]],
    final: "none_refused",
  },
  behind: {
    about: "a hart prints on and on while another is in its turn: refused in time, no slot is written twice",
    threads: [
      ["hart", 0, script("user")],
      ["hart", 1, script("user", "user", "user", "user", "user")],
    ],
  },
  reserve: {
    about: "users print as much as they may: the slots that are left are enough for the kernel's lines",
    threads: [
      ["hart", 0, script("user", "user")],
      ["hart", 1, script("kernel", "kernel")],
      ["hart", 2, script("kernel", "tick")],
    ],
  },
  full: {
    about: "the kernel writes one line more than there are slots: a panic, and no line is lost",
    threads: [["hart", 0, script("kernel", "kernel", "kernel", "kernel", "kernel")]],
    final: "panicked_whole",
    rests: true,
  },
  ends: {
    about: "a hart powers off while others print: what it knows of has left, whole",
    threads: [
      ["hart", 0, script("kernel", "power-off")],
      ["hart", 1, script("user")],
      ["hart", 2, script("tick")],
    ],
  },
  faultsAtOnce: {
    about: "a hart faults at the first byte of its turn: no hang, the line and the panic come out whole",
    threads: [
      ["faulty", 0, script("user"), 0],
      ["hart", 1, script("user")],
    ],
    rests: true,
  },
  faultsLater: {
    about: "a hart faults within its line: it goes on at that byte, no hang, the panic comes out whole",
    threads: [
      ["faulty", 0, script("user"), 2],
      ["hart", 1, script("user")],
      ["hart", 2, script("user")],
    ],
    rests: true,
  },
  panics: {
    about: "a hart panics while others send: the panic is printed whoever was sending",
    threads: [
      ["hart", 0, script("panic")],
      ["hart", 1, script("user")],
      ["hart", 2, script("user")],
    ],
    rests: true,
  },
  panicTwice: {
    about: "two harts panic at once: both lines come out, whole",
    threads: [
      ["hart", 0, script("panic")],
      ["hart", 1, script("user", "panic")],
    ],
    rests: true,
  },
  stops: {
    about: "a hart stops in its turn for good: the power-off takes over and ends",
    threads: [
      ["stopping", 0, script("user"), 1],
      ["ends_anyhow", 1],
    ],
    final: "survived",
    rests: true,
  },
  forgets: {
    about: "a writer stops before its line is ready: the power-off leaves that line out and ends",
    threads: [
      ["forgetful", 0],
      ["ends_anyhow", 1],
      ["hart", 2, script("user")],
    ],
    final: "survived",
    rests: true,
  },
} as const satisfies Record<string, Scenario>;

interface Fault {
  readonly title: string;
  readonly old: string;
  readonly new: string;
  readonly scenario: keyof typeof SCENARIOS;
}

const SEQ = "__ATOMIC_SEQ_CST";
const RELEASE = `__atomic_store_n(&slot->ready, ticket + 1, ${SEQ});`;
const ADVANCE = `__atomic_store_n(&sent_tickets, ticket + 1, ${SEQ});`;
const TURN = "send_bytes(CONSOLE_TURN_BYTES);\n  cease_sending();";

const FAULTS: readonly Fault[] = [
  {
    title: "two harts may send at once",
    old: "|| !become_sender()) return;",
    new: ") return;",
    scenario: "users",
  },
  {
    title: "a line is announced before its text is there",
    old: `  for (size_t index = 0; index < length; index++) slot->text[index] = text[index];`,
    new: `  ${RELEASE}\n  for (size_t index = 0; index < length; index++) slot->text[index] = text[index];`,
    scenario: "users",
  },
  { title: "a line is never announced", old: `  ${RELEASE}\n`, new: "", scenario: "alone" },
  { title: "a turn has no bound", old: TURN, new: "send_bytes(1000);\n  cease_sending();", scenario: "users" },
  {
    title: "a turn may be one byte longer",
    old: "while (sent < bytes_max) {",
    new: "while (sent <= bytes_max) {",
    scenario: "mixed",
  },
  {
    title: "a turn goes on while lines come in",
    old: TURN,
    new: "while (send_bytes(CONSOLE_TURN_BYTES) > 0) continue;\n  cease_sending();",
    scenario: "users",
  },
  {
    title: "the sender keeps its role",
    old: `  __atomic_store_n(&sender, NOBODY, ${SEQ});`,
    new: "",
    scenario: "users",
  },
  {
    title: "a user's ticket is drawn without an exchange",
    old: `if (__atomic_compare_exchange_n(&next_ticket, &next, next + 1, false, ${SEQ}, ${SEQ}))\n      return true;`,
    new: `__atomic_store_n(&next_ticket, next + 1, ${SEQ});\n    return true;`,
    scenario: "users",
  },
  {
    title: "a kernel's ticket is drawn without an exchange",
    old: `__atomic_fetch_add(&next_ticket, 1, ${SEQ});`,
    new: `load(&next_ticket);\n  __atomic_store_n(&next_ticket, ticket + 1, ${SEQ});`,
    scenario: "mixed",
  },
  {
    title: "users may take every slot and more",
    old: "if (next - sent >= CONSOLE_USER_SLOTS) return false;",
    new: "(void)sent;",
    scenario: "behind",
  },
  {
    title: "users may take one slot too many",
    old: "next - sent >= CONSOLE_USER_SLOTS",
    new: "next - sent > CONSOLE_USER_SLOTS",
    scenario: "reserve",
  },
  {
    title: "a line that is refused keeps its ticket",
    old: `      return true;\n  }`,
    new: `      return next - sent < 1;\n  }`,
    scenario: "mixed",
  },
  {
    title: "a line that fits is refused",
    old: "next - sent >= CONSOLE_USER_SLOTS",
    new: "next - (sent & 1) >= CONSOLE_USER_SLOTS",
    scenario: "alone",
  },
  {
    title: "the next line goes on where the last one ended",
    old: "  sent_bytes = 0;\n  // Gives",
    new: "  // Gives",
    scenario: "mixed",
  },
  { title: "a line has no end", old: "  uart_write(UART_DATA, '\\n');\n", new: "", scenario: "mixed" },
  {
    title: "a line counts as sent before its end is",
    old: `  uart_write(UART_DATA, '\\n');\n  sent_bytes = 0;\n  // Gives the slot back to whoever draws the ticket one ring further.\n  ${ADVANCE}`,
    new: `  sent_bytes = 0;\n  ${ADVANCE}\n  uart_write(UART_DATA, '\\n');`,
    scenario: "faultsLater",
  },
  {
    title: "a byte counts as sent before it is",
    old: "uart_write(UART_DATA, (uint8_t)slot->text[sent_bytes]);\n    sent_bytes++;",
    new: "sent_bytes++;\n    uart_write(UART_DATA, (uint8_t)slot->text[sent_bytes - 1]);",
    scenario: "faultsAtOnce",
  },
  {
    title: "of two lines that are ready the later one is sent first",
    old: "  if (sent_bytes < slot->length) {",
    new: `  struct slot *next = &slots[(ticket + 1) % CONSOLE_SLOTS];
  for (int at = 0; sent_bytes == 0 && at < CONSOLE_LINE_BYTES && is_ready(ticket + 1); at++) {
    char byte = slot->text[at];
    slot->text[at] = next->text[at];
    next->text[at] = byte;
  }
  if (sent_bytes < slot->length) {`,
    scenario: "reported",
  },
  {
    title: "a kernel's line does not look whether its slot is free",
    old: "bool fits = ticket - load(&sent_tickets) < CONSOLE_SLOTS;",
    new: "bool fits = true;",
    scenario: "full",
  },
  { title: "a full ring goes unreported", old: "  return fits;\n", new: "  return true;\n", scenario: "full" },
  {
    title: "a hart that faulted in its turn does not go on with it",
    old: `bool is_mine = __atomic_load_n(&sender, ${SEQ}) == machine_this_block()->cpu;`,
    new: "bool is_mine = false;",
    scenario: "faultsAtOnce",
  },
  {
    title: "the end of the run does not wait for another's turn",
    old: "is_mine = is_mine || become_sender();",
    new: "is_mine = true;",
    scenario: "ends",
  },
  {
    title: "a panic takes the role from a hart that goes on",
    old: "if (moments++ < FLUSH_MOMENTS_MAX) {",
    new: "if (moments++ < 0) {",
    scenario: "panics",
  },
  {
    title: "of two panics one is not waited for",
    old: "while ((int32_t)(last - load(&sent_tickets)) > 0) {",
    new: "while (load(&sender) == NOBODY && (int32_t)(last - load(&sent_tickets)) > 0) {".replace(
      "load(&sender)",
      `__atomic_load_n(&sender, ${SEQ})`,
    ),
    scenario: "panicTwice",
  },
  {
    title: "the end of the run does not send what is ready",
    old: "bool is_complete = flush_through(load(&next_ticket));",
    new: "bool is_complete = true;",
    scenario: "ends",
  },
  {
    title: "the end of the run keeps the sender's role",
    old: "  if (is_mine) cease_sending();\n",
    new: "",
    scenario: "ends",
  },
  {
    title: "a hart that stopped in its turn is waited for without end",
    old: `      __atomic_store_n(&sender, machine_this_block()->cpu, ${SEQ});\n      is_mine = true;`,
    new: "",
    scenario: "stops",
  },
  {
    title: "a line whose writer stopped is waited for without end",
    old: `      __atomic_store_n(&sent_tickets, load(&sent_tickets) + 1, ${SEQ});`,
    new: "",
    scenario: "forgets",
  },
];

describe.skipIf(missing.length > 0)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-console-"));
  const source = readFileSync(join(here, "console.c"), "utf8");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(tool: string, args: string): void {
    const result = spawnSync(tool, args.split(" "), { cwd: folder, encoding: "utf8" });
    if (result.status !== 0) throw new Error(result.stderr);
  }

  /** The module of that text of console.c. */
  function compile(text: string): Uint8Array {
    for (const name of ["machine.h", "harts.c"])
      copyFileSync(join(here, "fixtures", "console", name), join(folder, name));
    writeFileSync(join(folder, "console.c"), text);
    run("clang", COMPILE);
    run("wasm-ld", LINK);
    return new Uint8Array(readFileSync(join(folder, "harts.wasm")));
  }

  function exploreScenario(wasm: Uint8Array, scenario: Scenario): Promise<Exploration> {
    const threads = scenario.threads.map(([name, ...args]) => ({ function: name, args }));
    const { final = "whole", rests = false } = scenario;
    return explore(
      { wasm, threads, final, allowBlockedEnd: rests, growPages: 0 },
      { walks: 0, shortest: false, transitionsMax: TRANSITIONS_MAX },
    );
  }

  let wasm: Uint8Array;
  beforeAll(() => {
    wasm = compile(source);
  });

  test.each(Object.entries<Scenario>(SCENARIOS))("console: %s: every interleaving holds", async (_, scenario) => {
    const { verdict } = await exploreScenario(wasm, scenario);
    expect(verdict, scenario.about).toEqual({ kind: "passed" });
  });

  test("console: three users print at once: some line is refused in some interleaving, so refusals are among what was seen", async () => {
    const { verdict } = await exploreScenario(wasm, { ...SCENARIOS.users, final: "none_refused" });
    expect(verdict.kind).toBe("violated");
  });

  test.each(FAULTS)("console: $title: reported ($scenario)", async (fault) => {
    const [before, after, ...more] = source.split(fault.old);
    if (before === undefined || after === undefined || more.length > 0) throw new Error(`not there once: ${fault.old}`);
    const { verdict } = await exploreScenario(compile(before + fault.new + after), SCENARIOS[fault.scenario]);
    expect(verdict.kind).toBe("violated");
  });
});
