// Twin: the kernel's operations on its queues, written by hand in C; see twin.c.
#ifndef BENCH_TWIN_H
#define BENCH_TWIN_H

#include "state.h"

int twin_enqueue(struct hart *self, struct task *task);
struct task *twin_pick(struct hart *self);
int twin_yield(struct hart *self);
int twin_steal(struct hart *self, int bound);
int twin_wake(struct hart *self, struct task *task, int incarnation);
int twin_kill(struct runtime *runtime, struct hart *self, struct task *task, int incarnation);
int twin_request(struct hart *self, int target);
int32_t twin_trap(int32_t cause, int64_t value, int32_t call, int64_t a0, int64_t a1, int64_t a2);
int twin_change_qos(struct runtime *runtime, struct hart *self, struct task *task, int incarnation, int qos);

#endif
