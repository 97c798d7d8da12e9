/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_TRANSPORT_H
#define LAM_BENCH_TRANSPORT_H

/*
 * transport.h: what the peers that move messages of any size have alike.
 *
 * A payload is made in memory of the sender's and added up in memory of the receiver's, except
 * where the peer lends its own. What carries it through the kernel is asked again and again, as the
 * rings are: that is quicker than to sleep.
 */

#include <errno.h>

#include "clock.h"
#include "layers.h"
#include "loops.h"
#include "payload.h"
#include "peers.h"

/* One process's end. */
struct bench_wire {
    int out, in;         /* descriptors that do not block */
    int far_out, far_in; /* the other side's, until attach */
    uint8_t *outbox, *inbox;
};

/* Slots of a queue as large as our ring: a power of two, 4 or more. */
static inline uint32_t bench_peer_slots(const struct bench_shape *shape)
{
    uint64_t room = shape->depth / bench_message_cells(shape);
    uint32_t slots = 4;

    while (2 * slots <= room)
        slots *= 2;
    return slots;
}

#ifdef __cplusplus
extern "C" {
#endif

/* A name that no other run of this machine has: PREFIX, the process, a number. */
void bench_peer_name(char *text, uint32_t capacity, const char *prefix);

/* A wire without descriptors yet. */
struct bench_wire *bench_wire_open(struct bench_lane *lane);

/* Sides but the first take the far ends. */
int bench_wire_attach(struct bench_lane *lane, uint32_t side);
void bench_wire_detach(struct bench_lane *lane, uint32_t side);

/* All @bytes, in as many calls as it takes. Ends the program where the other side is gone. */
void bench_wire_write(const struct bench_wire *wire, uint32_t bytes);
void bench_wire_read(const struct bench_wire *wire, uint32_t bytes);

/* O_NONBLOCK. Returns 0 or -errno. */
int bench_wire_no_block(int fd);

#ifdef __cplusplus
}
#endif

/* put_wire() and take_wire() are the same for all streams of bytes. */
BENCH_INLINE void put_wire(uint32_t bytes, struct bench_wire *wire, uint64_t value)
{
    bench_fill(wire->outbox, bytes, value);
    bench_wire_write(wire, bytes);
}

BENCH_INLINE uint64_t take_wire(uint32_t bytes, struct bench_wire *wire, int is_late)
{
    (void)is_late;
    bench_wire_read(wire, bytes);
    return bench_sum(wire->inbox, bytes);
}

#endif
