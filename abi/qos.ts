// QoS classes, lowest first: a higher number is served first (Q6).

export enum Qos {
  Idle = 0,
  Normal = 1,
  Interactive = 2,
  PerfBurst = 3,
}

export const QOS_COUNT = 4;
