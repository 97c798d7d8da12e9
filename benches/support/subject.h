/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_SUBJECT_H
#define LAM_BENCH_SUBJECT_H

/*
 * subject.h: what is measured: a layer of Lamina, or a probe.
 *
 * A subject moves messages from side 0 to side 1 and back. It knows neither clocks nor windows: its
 * loops run to the end, and the harness times them from outside. A lane is a subject with a shape,
 * open between the processes of one crew; many lanes are open at once, one runs at a time.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a stream is filled with: this, and one more for each message. */
#define BENCH_SEED 1

struct bench_shape {
    uint32_t payload_bytes; /* of each message, a multiple of 8 */
    uint32_t batch;         /* messages published, and released, at once */
    uint32_t cell_bytes;
    uint64_t depth;   /* cells */
    uint32_t readers; /* sides 1 to readers; handoff needs 1 */
    uint32_t joined;  /* lossy readers that have joined and never run; their ends are side 1's */
};

struct bench_lane {
    const struct bench_subject *subject;
    struct bench_shape shape;
    void *state; /* the subject's; each process has its copy after the fork */
};

struct bench_subject {
    const char *name;
    int layer; /* -1: a probe */

    /* Make the shared memory, before the processes part. Returns 0 or -errno. */
    int (*open)(struct bench_lane *lane);

    /* Take the end of @side, in its process. Returns 0 or -errno. NULL: nothing to do. */
    int (*attach)(struct bench_lane *lane, uint32_t side);

    /* Give it back. NULL: nothing to do. */
    void (*detach)(struct bench_lane *lane, uint32_t side);

    /*
     * Side 0: @count round trips, the first filled with @value, each later one with the sum of the
     * answer before it. Returns the sum of the last answer. NULL: no round trips.
     */
    uint64_t (*ask)(struct bench_lane *lane, uint64_t count, uint64_t value);

    /* Side 1: answer @count times, each with a payload filled with the sum of the question. */
    uint64_t (*answer)(struct bench_lane *lane, uint64_t count);

    /*
     * Streams: side 0 sends, unless the subject is one of many producers: then sides 1 and up send,
     * and side 0 receives.
     */

    /* Send @count messages, a multiple of the batch, filled with @value, @value + 1 ... */
    void (*send)(struct bench_lane *lane, uint64_t count, uint64_t value);

    /* Receive @count. Returns the sum over all. */
    uint64_t (*receive)(struct bench_lane *lane, uint64_t count);

    /* Sides 1 and up: receive them, and look at the first word alone. Returns their sum. */
    uint64_t (*skim)(struct bench_lane *lane, uint64_t count);

    /*
     * 1: it has threads of its own on our CPUs. To be put off by them is its price, and who waits
     * for the other side gives them the CPU sooner.
     */
    int threads;
};

/* Cells of a message: its payload and 16 bytes of header. */
static inline uint64_t bench_message_cells(const struct bench_shape *shape)
{
    return (shape->payload_bytes + 16 + (uint64_t)shape->cell_bytes - 1) / shape->cell_bytes;
}

/* Shared, touched, zero; parted processes both see it. Ends the program when there is none. */
void *bench_shared_memory(uint64_t bytes);

/* Private, zero. Ends the program when there is none. */
void *bench_private_memory(uint64_t bytes);

#ifdef __cplusplus
}
#endif

#endif
