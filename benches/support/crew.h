/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_CREW_H
#define LAM_BENCH_CREW_H

/*
 * crew.h: the processes of a bench: this one is side 0, its children are sides 1, 2 ...
 *
 * Each is pinned to a CPU of its own while there are enough. The children spin for orders on shared
 * memory, so that every end is hot when a window begins, and no more processes run than take part.
 */

#include <signal.h>
#include <stdint.h>

#include "lamina/base/atomic.h"
#include "subject.h"

#define BENCH_READERS_MAX 16

enum bench_order {
    BENCH_ORDER_ANSWER,
    BENCH_ORDER_RECEIVE,
    BENCH_ORDER_RECEIVE_LATER, /* when told so by bench_crew_release() */
    BENCH_ORDER_SEND,          /* when told so: the children send, and side 0 receives */
    BENCH_ORDER_SKIM,
    BENCH_ORDER_SKIM_LATER, /* when told so by bench_crew_release(); the result is nanoseconds */
    BENCH_ORDER_LEAVE,
};

/* Shared, one for each child. */
struct bench_seat {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 begun;
    lam_atomic_u64 done;
    uint64_t result;
    uint64_t preempted;
    uint64_t cpu_us;
};

/* Shared. The fields are complete before the number is stored. */
struct bench_board {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 number;
    enum bench_order order;
    uint32_t lane_index;
    uint64_t count;
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 go;
    struct bench_seat seats[BENCH_READERS_MAX];
};

struct bench_crew {
    struct bench_board *board;
    struct bench_lane *lanes;
    uint32_t lane_count;
    uint32_t readers;
    uint32_t oversubscribed;      /* fewer CPUs than ends */
    volatile sig_atomic_t awaits; /* side 0 waits for a child to begin or to end, is in no loop */
    uint32_t naps; /* the lane that runs has threads of its own: leave them the CPU */
    int pids[BENCH_READERS_MAX];
    int cpus[1 + BENCH_READERS_MAX]; /* of each side */
    uint64_t number;
};

/*
 * Open all @lanes, part into 1 + @readers processes, attach every end. @lanes is kept until
 * bench_crew_stop(). @cpus: one for each end, or NULL for those that bench_cpus_choose() finds.
 *
 * Returns 0, or -errno after a line on standard error.
 */
int bench_crew_start(struct bench_crew *crew, struct bench_lane *lanes, uint32_t lane_count,
    uint32_t readers, const int *cpus);

/* Send the children into a loop of a lane; returns when all are about to enter it. */
void bench_crew_order(
    struct bench_crew *crew, enum bench_order order, uint32_t lane_index, uint64_t count);

/* Let those go on that wait to be told so. */
void bench_crew_release(struct bench_crew *crew);

/* Wait until all have left the loop. Returns the sum of their results. */
uint64_t bench_crew_finish(struct bench_crew *crew);

/* How often the children were put off their CPUs in the last loop. After bench_crew_finish(). */
uint64_t bench_crew_preempted(const struct bench_crew *crew);

/* CPU time that the children took for the last loop. After bench_crew_finish(). */
uint64_t bench_crew_cpu_us(const struct bench_crew *crew);

/* Dismiss the children, detach all ends. */
void bench_crew_stop(struct bench_crew *crew);

/* How often this process was put off its CPU since it began. */
uint64_t bench_preempted(void);

#endif
