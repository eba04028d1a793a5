// Places: where each task is, found by looking everywhere and not by believing its word.
//
// Partners: kernel/task.ts states the invariant that this checks (S3).

import { QOS_COUNT } from "../../abi/qos.ts";
import { TASK_STATE } from "./kernel-map.ts";
import { NONE } from "./kernel-memory.ts";
import type { Rig } from "./rig.ts";

/** The places of tasks by index. A task that is nowhere has no entry. */
export type Places = ReadonlyMap<number, readonly string[]>;

/**
 * Looks through CPUs 0 to cpus - 1. A task has a place for each queue entry of its generation, each hart that runs or parks it,
 * its mailbox while it is mailed (however many mailbox entries name it: the first one moves it), its sleep and its end. A task
 * that some hart holds without running it has none; when all calls have returned, there should be no such task.
 */
export function findPlaces(rig: Rig, cpus: number): Places {
  const places = new Map<number, string[]>();
  const add = (task: number, place: string): void => {
    const found = places.get(task);
    if (found === undefined) places.set(task, [place]);
    else found.push(place);
  };
  for (let cpu = 0; cpu < cpus; cpu++) {
    for (let qos = 0; qos < QOS_COUNT; qos++) {
      for (const task of rig.queued(cpu, qos)) add(task, `queue ${qos} of cpu${cpu}`);
    }
    if (rig.current(cpu) !== NONE) add(rig.current(cpu), `held by cpu${cpu}`);
    for (let qos = 0; qos < QOS_COUNT; qos++) {
      for (const task of rig.parked(cpu, qos)) add(task, `held by cpu${cpu}`);
    }
    for (const task of new Set(rig.mailEntries(cpu))) {
      const word = rig.word(task);
      if (word.state === TASK_STATE.Mailed && word.cpu === cpu) add(task, `mailbox of cpu${cpu}`);
    }
  }
  return places;
}

/** The tasks that are not in exactly one place, or whose word names another than the one they are in. */
export function strayTasks(rig: Rig, tasks: readonly number[], cpus: number): string[] {
  const found = findPlaces(rig, cpus);
  return tasks.flatMap((task) => {
    const { state, cpu } = rig.word(task);
    const places = [...(found.get(task) ?? [])];
    if (state === TASK_STATE.Blocked) places.push(`asleep on cpu${cpu}`);
    if (state === TASK_STATE.Exited) places.push("ended");
    const named = namedPlace(rig, task);
    if (places.length === 1 && places[0] === named) return [];
    return [`${task} (${places.join(" and ") || "nowhere"}; its word holds ${named})`];
  });
}

function namedPlace(rig: Rig, task: number): string {
  const { state, cpu, qos } = rig.word(task);
  if (state === TASK_STATE.Queued) return `queue ${qos} of cpu${cpu}`;
  if (state === TASK_STATE.Held) return `held by cpu${cpu}`;
  if (state === TASK_STATE.Mailed) return `mailbox of cpu${cpu}`;
  if (state === TASK_STATE.Blocked) return `asleep on cpu${cpu}`;
  return state === TASK_STATE.Exited ? "ended" : "nowhere";
}
