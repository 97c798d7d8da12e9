/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_MODEL_H
#define TEST_MODEL_MODEL_H

/*
 * model.h: a checker for code over C11 atomics.
 *
 * A program is a set-up and two to four threads. They run as coroutines of one thread; before each
 * access of a word that several of them touch the checker chooses who goes on, and at each load it
 * chooses which of the values that the memory model allows comes back. All choices are tried
 * (MODEL_ALL), or many at random. ../README.md has the semantics, and what they leave out.
 *
 * Nothing here is for two threads of the machine: one checker, one program at a time.
 */

#include <stdint.h>

#include "atomic_model.h"
#include "lamina/base/atomic.h"

#define MODEL_THREAD_COUNT_MAX 4

struct model_program {
    const char *name;
    /* Once: stores go straight to memory. What it leaves in the regions is where schedules begin */
    void (*set_up)(void);
    uint32_t thread_count;
    void (*threads[MODEL_THREAD_COUNT_MAX])(void);
    /* After all threads of a schedule have ended; sees all that they stored. Or NULL. */
    void (*finally)(void);
    /* A bit for each thread that may die at any step, one of them in a schedule. */
    uint32_t mortal;
    /* 1: who sleeps to a deadline wakes at it, once nobody else can go on. 0: that is a failure. */
    uint32_t timeouts;
    /* Say what @at is, in 64 characters. Or NULL. */
    void (*describe)(const void *at, char text[64]);
};

enum model_search {
    MODEL_ALL = 0,    /* depth first, each schedule and value once */
    MODEL_RANDOM = 1, /* priorities that change at random steps */
};

struct model_options {
    enum model_search search;
    uint64_t schedules_max; /* 0: no bound; random: 10,000 */
    uint64_t seed;          /* random */
    /*
     * All: at most so many preemptions, loads of old values and stores before others, together; 0:
     * no bound. Who goes on when a thread waits or ends is tried in any case.
     */
    uint32_t deviations;
    uint32_t changes; /* random: at how many steps priorities change; 0 for 3 */
    /* A mutant: operation @weak_operation of the function @weak_function loses its order. */
    const char *weak_function;
    const char *weak_operation;
    int weak_line; /* 0: all of its lines */
    int quiet;     /* do not print failures */
};

struct model_result {
    int failed;
    int complete; /* all schedules were tried, within the bound on deviations */
    uint64_t schedules;
    uint64_t steps;
    uint32_t weakened; /* places that lost their order */
    uint64_t restarts; /* because a word turned out to be shared */
    char text[256];    /* the failure */
};

/* Run @program. Prints a failure with its trace unless told not to. Returns 0, or 1: it failed. */
int model_run(const struct model_program *program, const struct model_options *options,
    struct model_result *result);

/*
 * For set-up: memory that is put back as it was before each schedule; memory of which a second
 * view lies @bytes behind the first.
 */
void model_region(void *memory, uint64_t bytes);
void model_alias(void *memory, uint64_t bytes);

/* For threads: fail the schedule, unless @condition. */
#define MODEL_CHECK(condition)                                                                     \
    ((condition) ? (void)0 : model_fail("%s:%d: not so: %s", __FILE__, __LINE__, #condition))
__attribute__((format(printf, 1, 2), noreturn)) void model_fail(const char *format, ...);

/* End the schedule in hand: it is of no interest. */
_Noreturn void model_skip(void);

/* For set-up: @lock, which it took, is dropped when @thread dies. */
struct lam_lock;
void model_own_lock(const struct lam_lock *lock, uint32_t thread);

/* For threads: which one runs. For finally: whether thread @index died. */
uint32_t model_self(void);
int model_is_dead(uint32_t index);

/* Count how often something rare was reached: a scenario that never gets there shows nothing. */
void model_mark(uint32_t mark);
uint64_t model_marks(uint32_t mark);
void model_forget_marks(void);

/* All places that the last run went through, first in @site. For the table of orders. */
struct model_site *model_sites(void);

#endif
