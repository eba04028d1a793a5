// CTF metadata: the layout of the streams that ctf.ts writes, in TSDL (the CTF 1.8 specification, appendix C).

import type { TraceHeader } from "../event.ts";
import { COMM_LENGTH_MAX } from "./linux-sched.ts";

export const CTF_MAGIC = 0xc1fc1fc1;

const threadFields = (prefix: string): string[] => [
  `char ${prefix}comm[${COMM_LENGTH_MAX + 1}];`,
  `int32 ${prefix}tid;`,
  `int32 ${prefix}prio;`,
];

/** The events; the place of each is its id. */
export const CTF_EVENTS = [
  { name: "sched_switch", fields: [...threadFields("prev_"), "string prev_state;", ...threadFields("next_")] },
  { name: "sched_waking", fields: [...threadFields(""), "int32 target_cpu;"] },
  { name: "sched_wakeup_new", fields: [...threadFields(""), "int32 target_cpu;"] },
  { name: "sched_migrate_task", fields: [...threadFields(""), "int32 orig_cpu;", "int32 dest_cpu;"] },
  {
    name: "hartbeat_resched",
    fields: ["string step;", "uint32 of_cpu;", "uint64 number;", "uint64 request;", "int64 detail;"],
  },
  {
    name: "hartbeat_depths",
    fields: ["idle", "normal", "interactive", "perf_burst", "mailbox"].map((name) => `uint32 ${name};`),
  },
  { name: "hartbeat_steal", fields: ["int32 tid;", "int32 victim_cpu;"] },
  { name: "hartbeat_reject", fields: ["int32 tid;", "string why;"] },
] as const;

export type CtfEventName = (typeof CTF_EVENTS)[number]["name"];

export function ctfMetadata(header: TraceHeader): string {
  return `/* CTF 1.8 */
typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := char;
typealias integer { size = 16; align = 8; signed = false; } := uint16;
typealias integer { size = 32; align = 8; signed = false; } := uint32;
typealias integer { size = 32; align = 8; signed = true; } := int32;
typealias integer { size = 64; align = 8; signed = false; } := uint64;
typealias integer { size = 64; align = 8; signed = true; } := int64;

trace {
  major = 1;
  minor = 8;
  byte_order = le;
  packet.header := struct { uint32 magic; uint32 stream_id; };
};

env {
  domain = "kernel";
  tracer_name = "hartbeat";
  hartbeat_machine = "${header.machine}";
  hartbeat_kernel = "${header.kernel.slice(0, 64).replaceAll(/[^0-9a-f]/g, "")}";
};

clock {
  name = ticks;
  freq = 1000000000;
  offset = 0;
};
typealias integer { size = 64; align = 8; signed = false; map = clock.ticks.value; } := uint64_clock;

stream {
  id = 0;
  packet.context := struct {
    uint64_clock timestamp_begin;
    uint64_clock timestamp_end;
    uint64 content_size;
    uint64 packet_size;
    uint32 cpu_id;
    uint64 events_discarded;
  };
  event.header := struct { uint16 id; uint64_clock timestamp; };
};
${CTF_EVENTS.map(({ name, fields }, id) => eventText(name, fields, id)).join("")}`;
}

function eventText(name: string, fields: readonly string[], id: number): string {
  return `
event {
  name = "${name}";
  id = ${id};
  stream_id = 0;
  fields := struct {
    ${fields.join("\n    ")}
  };
};
`;
}
