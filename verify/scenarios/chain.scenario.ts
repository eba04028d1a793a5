// Chain: requests, sends, traps and acks, with every event kept and checked at the end by its number.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { thread } from "./scenario.ts";

const kept = { final: "atRest", evidence: "kept", init: "chain", harts: 3 } as const;

export const chainScenarios: readonly Scenario[] = [
  {
    ...kept,
    name: "coalesced-requests",
    about:
      "Two harts ask a third to reschedule, again and again: requests ride on an IPI that is on its way, and are acked.",
    clauses: ["I3", "I6", "I7"],
    fast: [thread("requester", 0, 1, 1), thread("requester", 2, 1, 1), thread("hart", 1)],
    full: [thread("requester", 0, 1, 2), thread("requester", 2, 1, 1), thread("hart", 1)],
    faults: [
      {
        break: "a trap takes requests without marking that later ones must ring",
        reported: "invariant",
        broken: Broken.IpiLost,
      },
      { break: "the IPI goes out before what it announces can be seen", reported: "invariant", broken: Broken.IpiLost },
    ],
  },
  {
    ...kept,
    name: "spurious-soft",
    about: "S_SOFT comes that nobody sent, before, in and after a request that was: it is never acknowledged.",
    clauses: ["I3", "I5", "I1"],
    fast: [thread("requester", 0, 1, 1), thread("requester", 2, 64, 1), thread("hart", 1), thread("intruder", 1, 1)],
    full: [thread("requester", 0, 1, 2), thread("hart", 1), thread("intruder", 1, 2)],
    faults: [
      { break: "an S_SOFT without a request is acknowledged, too", reported: "final", broken: Broken.AckWithoutTrap },
    ],
  },
  {
    ...kept,
    name: "failed-send",
    about: "A send fails while S_SOFT may come all the same; the sender tries again, another hart asks too.",
    clauses: ["I3", "I4"],
    fast: [thread("persistent", 0, 1, 2), thread("hart", 1), thread("saboteur", 1), thread("intruder", 1, 1)],
    full: [thread("persistent", 0, 1, 3), thread("hart", 1), thread("saboteur", 2), thread("intruder", 1, 1)],
    faults: [{ break: "the ack is given where the IPI is sent", reported: "final", broken: Broken.AckWithoutTrap }],
  },
  {
    ...kept,
    name: "failed-send-of-two",
    about: "Two harts ask a third, one of them is refused, and S_SOFT comes all the same: what is marked as sent was.",
    clauses: ["I3", "I4", "I6", "I7"],
    fast: [
      thread("persistent", 0, 1, 0),
      thread("persistent", 2, 1, 0),
      thread("hart", 1),
      thread("saboteur", 1),
      thread("intruder", 1, 1),
    ],
    faults: [
      {
        break: "a refused sender rings for the mark that it saw before, not for the one that it clears",
        reported: "invariant",
        broken: Broken.IpiLost,
      },
    ],
  },
  {
    name: "nobody-there",
    about:
      "Harts ask, post to and steal from a CPU that is offline and one that there is not, while another takes traps.",
    clauses: ["I1", "I2", "Q3", "S5"],
    harts: 3,
    init: "oneOffline",
    final: "signalled",
    evidence: "ghost",
    fast: [thread("petitioner", 0, 3, 1), thread("petitioner", 2, 64, 0), thread("hart", 1), thread("intruder", 1, 1)],
    faults: [
      { break: "a request to an offline CPU is accepted", reported: "assertion" },
      { break: "a request to no CPU is not distinguished from one to an offline CPU", reported: "assertion" },
      { break: "an offline CPU is stolen from", reported: "assertion" },
    ],
  },
];
