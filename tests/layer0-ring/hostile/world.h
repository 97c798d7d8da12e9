/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HOSTILE_WORLD_H
#define TEST_HOSTILE_WORLD_H

/*
 * The world that the victims live in: chance that follows from a seed, a clock that goes as fast as
 * it is asked, and somebody who counts their steps. A call that takes too many of them does not
 * end; an error that its header does not list is one that no caller is ready for. Either ends the
 * test with a line that says how to see it again.
 */

#include <stdint.h>

/* What the hostile one does at its turn; and at one of the named places of crash_point.h. */
extern void (*world_hostile)(void);
extern void (*world_at)(const char *label);

/* Begin: all that follows is determined by @seed. With @is_real the machine's own clock goes. */
void world_open(uint64_t seed, int is_real);

/* Part @part of the run begins: its chance follows from the seed and its number alone. */
void world_part(uint64_t part);

uint64_t world_random(void);

/* 0 to count - 1. */
uint64_t world_pick(uint64_t count);

/* 1 once in @count times. */
int world_once_in(uint64_t count);

/* What @call, by its name, answered: 0, a count, or one of the @codes behind, which end with 0. */
int64_t world_answer(const char *call, int64_t rc, const int *codes);

/* Make a call: it has its steps, and may fail as listed and no other way. */
#define CALL(call, ...)                                                                            \
    (world_begin(#call), world_answer(#call, (int64_t)(call), (const int[]){__VA_ARGS__, 0}))

/* A call of which nothing can go wrong. */
#define CALL_VOID(call) (world_begin(#call), (void)(call), (void)world_answer(#call, 0, (int[]){0}))

void world_begin(const char *call);

/* How many calls there were, how many said that they did something; the most steps that one took.
 */
struct world_counts {
    uint64_t calls;
    uint64_t fruitful;
    uint64_t steps_max;
    const char *longest;
};
struct world_counts world_counts(void);

/* What each call came to: it failed, said 0, said more. Up to one without a name. */
struct world_tally {
    const char *call;
    uint64_t errors, nothing, fruitful;
};
const struct world_tally *world_tallies(void);

/* Where others see that there is progress; NULL for nobody. */
extern _Atomic uint64_t *world_progress;

/* A deadline soon from now. */
uint64_t world_soon(void);

#endif
