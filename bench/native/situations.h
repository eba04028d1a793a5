// Situations: the memory in which an operation is measured, and the call that measures it.
//
// depth: tasks in each queue that matters, or as the function states.
// Pairs with: situations.c.
#ifndef SITUATIONS_H
#define SITUATIONS_H
#include <stdint.h>

struct call {
  int64_t arguments[6];
  int64_t expected;
};

struct call enqueue_behind(int depth);
struct call pick_perf_burst(int depth);
struct call pick_interactive(int depth);
struct call pick_normal(int depth);
struct call pick_idle(int depth);
struct call pick_after_last(int depth);
struct call yield_behind(int depth);
struct call wake_here(int depth);
struct call wake_there(int depth);
struct call steal_best(int depth);
struct call steal_worst(int depth);
struct call steal_nothing(int depth);
struct call change_behind(int depth);
struct call change_among_all(int depth);
struct call change_refused(int depth);
struct call kill_among(int depth);
struct call kill_among_all(int depth);
struct call cpu_id(int depth);
struct call cpu_id_call(int depth);
struct call accept_request(int depth);

#endif
