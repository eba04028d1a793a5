// Evidence: what a hart writes into its evidence ring, and how a console line prints it.
//
// Events of one resched chain are numbered by the target CPU's counter, all others by the CPU on which they
// happen. (`of`, `n`) is therefore unique, and a smaller `n` of the same CPU came first. The line is
//   EVIDENCE: of=cpu1 n=4 by=cpu0 accepted request=2 detail=0

export enum EventKind {
  None = 0,
  /** A CPU joined. */
  Online = 1,
  /** request was accepted for CPU `of`. detail: 1 when it has the IPI of an earlier request to ride on. */
  Accepted = 2,
  /** The IPI that carries every request up to `request` is handed to the machine. */
  Sent = 3,
  /** The machine refused that IPI. detail: the machine's error. */
  SendFailed = 4,
  /** CPU `of` took an S_SOFT trap for the requests up to `request`. */
  Trapped = 5,
  /** CPU `of` has rescheduled on behalf of the requests up to `request`. */
  Acked = 6,
  /** CPU `of` took an S_SOFT trap that no sent request accounts for. */
  NoPendingRequest = 7,
  /** A request was refused: no such CPU. `of` is the caller; detail: the target asked for, or the nearest of 20 bits. */
  RejectedInvalidCpu = 8,
  /** A request was refused: the CPU is not online. `of` is the caller; detail: the target asked for. */
  RejectedOfflineCpu = 9,
  /** CPU `of` took a task from another. request: the task; detail: the victim CPU. */
  Stolen = 10,
  /** A steal found only work above the class allowed. request: the class allowed; detail: the victim CPU. */
  StealRefused = 11,
  /** A second steal within one tick was refused. detail: successful steals in this tick. */
  StealBudgetSpent = 12,
  /** The mutable runtime was asked for on CPU `of`, which is not the boot hart. */
  RuntimeDenied = 13,
  /** A task began to run on CPU `of` for the first time. request: the task. */
  Started = 14,
  /** A hart that should be there did not start. request: the hart id; detail: the machine's error. */
  StartFailed = 15,
  /** The sender of the requests up to `request` found, when it came to ring, that another hart had rung. */
  Coalesced = 16,
  /** A number drawn for a send that was not made, because another hart acted on CPU `of` at the same moment. */
  Unused = 17,
}

/** How a console line names each kind, at its number. */
export const EVENT_NAMES =
  "none online accepted sent send-failed trapped acked no-pending-request rejected-invalid-cpu rejected-offline-cpu stolen steal-refused steal-budget-spent runtime-denied started start-failed coalesced unused";
