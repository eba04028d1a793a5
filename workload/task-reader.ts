// Task reader: one member of `tasks` as a task with its phases.
//
// Partners: event-reader.ts; policy.ts; workload-reader.ts.

import { CPUS_MAX } from "../abi/layout.ts";
import { WORKLOAD_TASKS_MAX } from "../abi/workload-table.ts";
import type { Member } from "./json-tree.ts";
import { EVENT_KEYS, eventKeyOf, MICROS_MAX, readEvent, unsupportedEvent } from "./event-reader.ts";
import { type Policy, policyNamed, policyRefusal, priorityRange, qosOfPolicy } from "./policy.ts";
import { describe, join, type Placed, type Values } from "./member-values.ts";
import type { Loop, Phase, PlacedEvent, WorkloadTask } from "./workload-types.ts";

const LOOPS_MAX = 0x7fff_ffff;

const SETTINGS = ["instance", "loop", "phases", "priority", "policy", "cpus", "delay"];

const NO_DEADLINE = "is not supported: the kernel has no deadline class; use priority";
const OLD_FORMAT = "is a key of an older format than rt-app 1.0's; list the events in their order instead";

const NO_EVENTS = "has no events; list what it does, such as run and sleep";

/** Keys of rt-app at a task that are refused, and why. */
const UNSUPPORTED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ["dl-runtime", NO_DEADLINE],
  ["dl-period", NO_DEADLINE],
  ["dl-deadline", NO_DEADLINE],
  ["exec", OLD_FORMAT],
  ["period", OLD_FORMAT],
  ["deadline", OLD_FORMAT],
  ["lock_order", OLD_FORMAT],
  ["resources", OLD_FORMAT],
]);

/** Members that may stand once, and events in their order. */
interface Sorted {
  readonly settings: ReadonlyMap<string, Placed>;
  readonly events: readonly PlacedEvent[];
}

/** policy: the default one. */
export function readTask(values: Values, member: Member, policy: Policy): WorkloadTask | undefined {
  const place = { member, path: join("tasks", member.key) };
  const members = values.members(place, "a task");
  if (members === undefined) return undefined;
  const { settings, events } = sort(values, members, place, SETTINGS);
  const loop = loopOf(values, settings.get("loop"), -1);
  const instances = settings.get("instance");
  const delay = settings.get("delay");
  return {
    name: member.key,
    line: member.line,
    key: place.path,
    instances: (instances === undefined ? 1 : values.whole(instances, 0, WORKLOAD_TASKS_MAX, "a number of tasks")) ?? 1,
    loop,
    phases: phasesOf(values, place, settings.get("phases"), events),
    qos: qosOf(values, settings, policy),
    cpus: cpusOf(values, settings.get("cpus")),
    cpusLine: settings.get("cpus")?.member.line ?? member.line,
    delayMicros: (delay === undefined ? 0 : values.whole(delay, 0, MICROS_MAX, "a time in microseconds")) ?? 0,
  };
}

function sort(values: Values, members: readonly Member[], owner: Placed, known: readonly string[]): Sorted {
  const { path } = owner;
  const events: PlacedEvent[] = [];
  const others: Member[] = [];
  for (const member of members) {
    const kind = eventKeyOf(member.key);
    if (kind === undefined) {
      others.push(member);
      continue;
    }
    const event = readEvent(values, { member, path: join(path, member.key) }, kind, taskOf(path));
    if (event !== undefined) events.push(event);
  }
  const settings = values.once(others, path);
  for (const [key, place] of settings) if (!known.includes(key)) values.refuse(place, refusalOf(key, known));
  return { settings, events };
}

/** The task's name of a path: keys may have points in them, but phases are always two keys further. */
function taskOf(path: string): string {
  return path.slice("tasks.".length).replace(/\.phases\..*$/, "");
}

function refusalOf(key: string, known: readonly string[]): string {
  const unsupported = unsupportedEvent(key) ?? UNSUPPORTED_SETTINGS.get(key);
  if (unsupported !== undefined) return unsupported;
  if (SETTINGS.includes(key)) return `belongs to the task and is not supported for one phase`;
  return `is no key here; there are ${[...known, ...EVENT_KEYS].join(", ")}`;
}

function phasesOf(
  values: Values,
  task: Placed,
  phases: Placed | undefined,
  events: readonly PlacedEvent[],
): readonly Phase[] {
  if (phases === undefined) {
    if (!mayHaveEvents(task.member)) values.refuse(task, NO_EVENTS);
    return [{ loop: 1, events }];
  }
  for (const { line, key } of events)
    values.findings.refuse(line, key, "stands beside phases; put it into one of them");
  const members = values.members(phases, "phases");
  if (members?.length === 0) values.refuse(phases, "has no phase; give at least one");
  return (members ?? []).flatMap((member) => {
    const place = { member, path: join(phases.path, member.key) };
    const inner = values.members(place, "a phase");
    if (inner === undefined) return [];
    const sorted = sort(values, inner, place, ["loop"]);
    if (!mayHaveEvents(member)) values.refuse(place, NO_EVENTS);
    return [{ loop: loopOf(values, sorted.settings.get("loop"), 1), events: sorted.events }];
  });
}

/** Members that are refused may have been meant as events: one problem is enough then. */
function mayHaveEvents({ value }: Member): boolean {
  return value.kind === "object" && value.members.some(({ key }) => !SETTINGS.includes(key));
}

function loopOf(values: Values, place: Placed | undefined, usual: Loop): Loop {
  if (place === undefined) return usual;
  const { value } = place.member;
  if (value.kind === "number" && value.number === 0) {
    values.refuse(place, "give how often, at least 1, or -1 for ever, not 0");
    return usual;
  }
  return values.whole(place, -1, LOOPS_MAX, "how often, -1 for ever") ?? usual;
}

function qosOf(values: Values, settings: ReadonlyMap<string, Placed>, usual: Policy): WorkloadTask["qos"] {
  const policyPlace = settings.get("policy");
  const name = policyPlace === undefined ? usual : (values.text(policyPlace, "a policy") ?? usual);
  const policy = policyNamed(name);
  if (policy === undefined && policyPlace !== undefined) values.refuse(policyPlace, policyRefusal(name));
  const known = policy ?? usual;
  const { least, most, usual: usualPriority } = priorityRange(known);
  const place = settings.get("priority");
  const priority = place === undefined ? undefined : values.whole(place, least, most, `a priority of ${known}`);
  return qosOfPolicy(known, priority ?? usualPriority);
}

function cpusOf(values: Values, place: Placed | undefined): readonly number[] {
  if (place === undefined) return [];
  const { value } = place.member;
  if (value.kind !== "array" || value.items.length === 0) {
    values.refuse(place, `give CPUs in [ ], such as [0, 2], not ${describe(value)}`);
    return [];
  }
  const cpus = value.items.flatMap((item) => (item.kind === "number" ? [item.number] : []));
  const wrong = value.items.find(
    (item) => item.kind !== "number" || !Number.isInteger(item.number) || item.number < 0 || item.number >= CPUS_MAX,
  );
  if (wrong !== undefined)
    values.refuse(place, `a CPU is a whole number from 0 to ${CPUS_MAX - 1}, not ${describe(wrong)}`);
  else values.findings.remark(place.member.line, place.path, "is where the task begins; an idle CPU may steal it");
  return cpus;
}
