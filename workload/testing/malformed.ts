// Malformed: workloads with one mistake each, generated from a seed, and the line and the key that a reader has to name.
//
// Partners: workload-reader.test.ts.

export interface Malformed {
  readonly text: string;
  readonly line: number;
  /** What the key has to end with; empty: a mistake of syntax. */
  readonly key: string;
  readonly about: string;
}

/** A correct workload, a member or a bracket a line; `@` marks the lines of events. */
const CORRECT = [
  "{",
  '  "tasks": {',
  '    "first": {',
  '      "instance": 2,',
  '      "loop": 10,',
  '      "priority": -5,',
  '      "run": 100,',
  '      "lock": "m",',
  '      "wait": { "ref": "c", "mutex": "m" },',
  '      "unlock": "m",',
  '      "sleep": 1000',
  "    },",
  '    "second": {',
  '      "policy": "SCHED_FIFO",',
  '      "cpus": [0],',
  '      "phases": {',
  '        "a": {',
  '          "loop": 3,',
  '          "runtime": 50,',
  '          "broad": "c",',
  '          "timer": { "ref": "unique", "period": 5000, "mode": "absolute" },',
  '          "suspend": "s"',
  "        },",
  '        "b": {',
  '          "resume": "s",',
  '          "run": 20',
  "        }",
  "      }",
  "    },",
  '    "third": { "resume": "s", "barrier": "x", "yield": "" }',
  "  },",
  '  "global": {',
  '    "duration": 2,',
  '    "default_policy": "SCHED_OTHER"',
  "  }",
  "}",
];

interface Mistake {
  readonly about: string;
  /** Lines on which it can be made. */
  readonly where: RegExp;
  /** The line with the mistake, which may be several; the first of them is wrong unless `at` counts further. */
  readonly make: (line: string, number: number) => string;
  readonly at?: number;
  readonly key: (line: string) => string;
}

const ownKey = (line: string): string => /"([^"]+)"/.exec(line)?.[1] ?? "";
const MISTAKES: readonly Mistake[] = [
  {
    about: "unknown key",
    where: /"(?:run|sleep|resume|suspend|loop|duration)":/,
    make: (line, number) => `"knob${number}": 1, ${line}`,
    key: () => "",
  },
  {
    about: "time as a text",
    where: /"(?:run|runtime|sleep)":/,
    make: (line) => line.replace(/\d+/, '"soon"'),
    key: ownKey,
  },
  { about: "negative time", where: /"(?:run|runtime|sleep)":/, make: (line) => line.replace(/\d+/, "-7"), key: ownKey },
  {
    about: "fraction",
    where: /"(?:run|runtime|sleep|loop|instance|duration)":/,
    make: (line) => line.replace(/\d+/, "1.5"),
    key: ownKey,
  },
  {
    about: "time beyond 32 bits",
    where: /"(?:run|runtime|sleep)":/,
    make: (line) => line.replace(/\d+/, "99999999999"),
    key: ownKey,
  },
  { about: "loop of 0", where: /"loop":/, make: (line) => line.replace(/\d+/, "0"), key: ownKey },
  { about: "priority out of range", where: /"priority":/, make: (line) => line.replace("-5", "-21"), key: ownKey },
  {
    about: "policy that there is not",
    where: /SCHED_/,
    make: (line) => line.replace(/SCHED_\w+/, "SCHED_FAST"),
    key: ownKey,
  },
  {
    about: "number as a name",
    where: /"(?:lock|unlock|resume|broad)":/,
    make: (line) => line.replace(/: "\w"/, ": 4"),
    key: ownKey,
  },
  { about: "CPU that cannot be", where: /"cpus":/, make: (line) => line.replace("[0]", "[64]"), key: ownKey },
  { about: "CPU outside a list", where: /"cpus":/, make: (line) => line.replace("[0]", "0"), key: ownKey },
  {
    about: "timer without period",
    where: /"timer":/,
    make: (line) => line.replace(' "period": 5000,', ""),
    key: () => "period",
  },
  {
    about: "mode that there is not",
    where: /"timer":/,
    make: (line) => line.replace('"absolute"', '"late"'),
    key: () => "mode",
  },
  {
    about: "wait without mutex",
    where: /"wait":/,
    make: (line) => line.replace(', "mutex": "m"', ""),
    key: () => "mutex",
  },
  {
    about: "setting twice",
    where: /"(?:loop|priority|policy|duration)":/,
    make: (line) => `${line}\n${line}`,
    at: 1,
    key: ownKey,
  },
  { about: "second lock", where: /"lock":/, make: (line) => `${line}\n${line}`, at: 1, key: ownKey },
  { about: "second unlock", where: /"unlock":/, make: (line) => `${line}\n${line}`, at: 1, key: ownKey },
  {
    about: "event of memory",
    where: /"(?:run|sleep|yield)":/,
    make: (line) => `"mem1": 4096, ${line}`,
    key: () => "mem1",
  },
  {
    about: "fork of no task",
    where: /"(?:run|yield)":/,
    make: (line) => `"fork": "nobody", ${line}`,
    key: () => "fork",
  },
  {
    about: "suspend without resume",
    where: /"run":/,
    make: (line) => `"suspend9": "alone", ${line}`,
    key: () => "suspend9",
  },
  { about: "comma missing", where: /,$/, make: (line) => line.slice(0, -1), at: 1, key: () => "" },
  { about: "quote missing", where: /"run":/, make: (line) => line.replace('"run"', '"run'), key: () => "" },
];

/** The nth of a seed: kinds of mistakes in turn, at random places. */
export function malformedWorkload(seed: number, n: number): Malformed {
  const mistake = MISTAKES[n % MISTAKES.length] as Mistake;
  const places = CORRECT.flatMap((line, index) => (mistake.where.test(line) ? [index] : []));
  const index = places[random(seed, n) % places.length] ?? 0;
  const line = CORRECT[index] ?? "";
  const lines = CORRECT.with(index, mistake.make(line, n));
  const key = mistake.about === "unknown key" ? `knob${n}` : mistake.key(line);
  return { text: lines.join("\n"), line: index + 1 + (mistake.at ?? 0), key, about: mistake.about };
}

export const correctWorkload = CORRECT.join("\n");

/** A number that follows from a seed and a place (the finaliser of MurmurHash3). */
function random(seed: number, n: number): number {
  let value = Math.imul(seed ^ Math.imul(n + 1, 0x9e3779b1), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
