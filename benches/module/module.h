/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_MODULE_H
#define LAM_BENCH_MODULE_H

/*
 * module.h: the parts of the bench of the runtime, one a file, and what they share.
 *
 * A part brings a row of the table in bench_module.c and the fields of its lines in tests/benches
 * and benches/README.md. Its lines are called module-NAME. Modules run in this process, so side 0
 * does all of it; the other process looks on, or sleeps where its CPU is wanted.
 */

#include <pthread.h>

#include "lamina/runtime/runtime.h"

#include "campaign.h"
#include "options.h"

/* BENCH_MODULE_FILE: the shared object built from echo.c; BENCH_WORKER_PROGRAM: of workers. */

/* A lane number for what is none of the four layers, and no probe. */
#define MODULE_LAYER 6

struct module_part {
    const char *name; /* chosen by --part */
    /* All its lines. Returns 0, or 1 after a line on standard error. */
    int (*run)(const struct bench_options *options);
};

extern const struct module_part module_arena;
extern const struct module_part module_batch;
extern const struct module_part module_headers;
extern const struct module_part module_messages;
extern const struct module_part module_stages;
extern const struct module_part module_pool;
extern const struct module_part module_calls;
extern const struct module_part module_threads;
extern const struct module_part module_loads;
extern const struct module_part module_reload;
extern const struct module_part module_worker;

/* As bench_run_init(), with budgets for as many campaigns as there are parts. */
void module_begin(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options);

/* The compiler must not know what becomes of @memory, nor what is in any. */
static inline void module_use(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* ---- calls.c ---- */

/*
 * What side 0 does alone, @count times in ask(), which is told nothing; receive(), if there is one,
 * looks at the last answer after a window. Reading 0: ns of one, the median of groups. Reading 1:
 * the 99th percentile of single ones, less the clock.
 */
extern const struct bench_measure module_measure_alone;

/* ---- caller.c ---- */

/* Who calls: a loaded module and one method of it, both ways. */
struct module_caller {
    struct lam_runtime *runtime;
    struct lam_module *module;
    uint32_t method;
    uint32_t bytes; /* of request and answer */
    void *handle;   /* of the raw calls */
    lam_entry_fn entry;
    struct lam_call call; /* of the raw calls, filled once */
    uint8_t *request, *reply;
};

/*
 * With the module of echo.c loaded as "echo" and, for @method "relay", once more as "relay", and
 * opened beside that by dlopen(). Ends the program after a line on standard error.
 */
void module_caller_open(struct module_caller *caller, const char *method, uint32_t bytes);
/* The module "echo", called through a breaker, counts, and retries with a deadline of a second. */
void module_caller_open_guarded(struct module_caller *caller, uint32_t bytes);
/*
 * The module "echo" with @options. Its workers, and the threads of its runtime, run where this
 * thread may run now. With a worker there are no raw calls.
 */
void module_caller_open_as(
    struct module_caller *caller, uint32_t bytes, const struct lam_module_options *options);

void module_caller_close(struct module_caller *caller);

/* Another thread's, of the same module, with buffers of its own. Freed by module_caller_leave(). */
void module_caller_join(struct module_caller *caller, const struct module_caller *first);
void module_caller_leave(struct module_caller *caller);

/* @count calls, by the runtime or of the bare function. A call that fails ends the program. */
void module_caller_run(struct module_caller *caller, uint64_t count);
void module_caller_run_raw(struct module_caller *caller, uint64_t count);

/* For subjects whose state on side 0 is a caller, and that do nothing on side 1. */
void module_caller_detach(struct bench_lane *lane, uint32_t side);
uint64_t module_caller_ask(struct bench_lane *lane, uint64_t count, uint64_t value);
uint64_t module_caller_look(struct bench_lane *lane, uint64_t count);

/* Ends the program where the last answer is not the request. Then wipes it. */
void module_caller_check(struct module_caller *caller);

/* ---- elsewhere.c ---- */

/*
 * The other process asleep, so that a thread of this one can have its CPU. The subject's state
 * begins with this; its answer is module_elsewhere_answer.
 */
struct module_elsewhere {
    int wake[2]; /* a pipe */
};

/* Before the processes part. Returns 0 or -errno. */
int module_elsewhere_open(struct module_elsewhere *elsewhere);
void module_elsewhere_close(struct module_elsewhere *elsewhere);

uint64_t module_elsewhere_answer(struct bench_lane *lane, uint64_t count);

/* Side 0: from here to there the other CPU is free. */
void module_elsewhere_begin(struct bench_crew *crew, uint32_t lane_index);
void module_elsewhere_end(struct bench_crew *crew, uint32_t lane_index);

/* A thread that is on @cpu from its first instruction on. To be joined. */
void module_elsewhere_start(pthread_t *thread, int cpu, void *(*function)(void *), void *argument);

/* ---- beside.c ---- */

/*
 * A caller whose workers or threads have the CPU of the other process, which sleeps meanwhile: the
 * state of subjects whose answer is module_elsewhere_answer.
 */
struct module_beside {
    struct module_elsewhere elsewhere; /* first: see there */
    struct module_caller caller;
    int is_open;
    void (*start)(struct module_caller *caller, uint32_t bytes);
};

/* For open(): @start opens the caller, once, on the other CPU. Returns 0 or -errno. */
int module_beside_open(
    struct bench_lane *lane, void (*start)(struct module_caller *caller, uint32_t bytes));
void module_beside_detach(struct bench_lane *lane, uint32_t side);
uint64_t module_beside_ask(struct bench_lane *lane, uint64_t count, uint64_t value);

/* bench_measure_handoff, for these subjects, too. */
extern const struct bench_measure module_measure_beside;

/* ---- threads.c ---- */

/* Calls by shape.batch threads of a module that takes them as they come, or collects them. */
extern const struct bench_subject module_crowd_calling;
extern const struct bench_subject module_crowd_batching;

/* Reading 0: calls a second of all threads. */
extern const struct bench_measure module_measure_crowd;

#define MODULE_CROWD_MAX 16

/* ---- socket.c ---- */

#define MODULE_TRIP_BYTES 64

extern const struct bench_subject module_socket_asleep;
extern const struct bench_subject module_socket_asking;

#endif
