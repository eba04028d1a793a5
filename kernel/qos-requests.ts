// QoS requests: a class that the boot hart asks for while a hart holds the task, and how its holder gives it.
//
// Owner: the hart that holds the task.
// Invariant: a task that is queued with a request pending has found no room in the class asked for.
// Pairs with: authority.ts (asks), signals.ts (the request), scheduler.ts, parking.ts and dispatch.ts (the holders).
// Clauses: Q7.

import { Hart } from "./hart-local";
import { enqueue, EnqueueOutcome, freePosition, moveToClass, NO_ROOM, ringOf } from "./run-queue";
import { and64, load64, store64 } from "./shared";
import { has, HONOURED_QOS, requestedQos, Signal } from "./signals";
import { addressOfTask, isAt, lifeOf, placeLike, qosOf, Task, TaskState, withQos } from "./task";

/** Gives a task that this hart holds the class that the boot hart has asked for, before it is queued or runs (Q7). */
export function honourQosRequest(task: Task): void {
  const asked = and64(lifeOf(task), HONOURED_QOS);
  store64(addressOfTask(task), withQos(task.word, requestedQos(asked)));
}

/**
 * Queues a task that has run, in the class that the boot hart has asked for meanwhile. The hart writes Queued and then
 * looks for a request; the boot hart leaves its request and then looks for Queued: one of the two sees the other (Q7).
 */
export function queueHeld(self: Hart, task: Task): EnqueueOutcome {
  const outcome = enqueue(self, task);
  if (outcome == EnqueueOutcome.Queued && has(load64(lifeOf(task)), Signal.ChangeQos)) requeueAsAsked(self, task);
  return outcome;
}

/** Moves a task queued here to the class asked for, if there is room (Q7); else it gets that class when it runs next. */
function requeueAsAsked(self: Hart, task: Task): void {
  const word = load64(addressOfTask(task));
  const life = load64(lifeOf(task));
  if (!isAt(word, placeLike(self.heldHere, TaskState.Queued)) || !has(life, Signal.ChangeQos)) return;
  const qos = requestedQos(life);
  const position = freePosition(ringOf(self, qos));
  if (qos == qosOf(word) || position == NO_ROOM) return;
  // Not moved: its holder gives it the class when it runs next.
  if (!moveToClass(self, task, qos, position, word)) return;
}
