/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_way.c: bytes on their way in one direction: in order, each lot with its time of arrival, none
 * lost but by the end of the connection, as with a byte stream.
 */
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

#define DELAY_NS     UINT64_C(100000)
#define BUFFER_BYTES UINT64_C(65536)

int sim_net_happens(struct sim *sim, uint32_t count)
{
    return count != 0 && sim_random(sim) % count == 0;
}

uint64_t sim_net_delay(struct sim *sim)
{
    return 1 + sim_random(sim) % (sim->net.delay_ns != 0 ? sim->net.delay_ns : DELAY_NS);
}

static void reserve(const struct sim *sim, struct sim_way *way)
{
    if (way->bytes == NULL) {
        way->capacity = sim->net.buffer_bytes != 0 ? sim->net.buffer_bytes : BUFFER_BYTES;
        way->bytes = malloc(way->capacity);
        LAM_ASSERT(way->bytes != NULL);
    }
    if (way->arrival_count == way->arrival_capacity) {
        unsigned capacity = 2 * way->arrival_capacity + 16;
        struct sim_arrival *arrivals = realloc(way->arrivals, capacity * sizeof(*arrivals));

        LAM_ASSERT(arrivals != NULL);
        way->arrivals = arrivals;
        way->arrival_capacity = capacity;
    }
}

/* Some of @count, or all. */
static uint64_t part_of(struct sim *sim, uint64_t count)
{
    return count > 1 && sim_net_happens(sim, sim->net.partial_one_in) ? 1 + sim_random(sim) % count
                                                                      : count;
}

int64_t sim_way_send(struct sim *sim, struct sim_way *way, const void *bytes, uint64_t count)
{
    uint64_t room, due_ns = sim->now_ns + sim_net_delay(sim);

    reserve(sim, way);
    room = way->capacity - (way->sent - way->taken);
    if (room == 0)
        return 0;
    if (sim_net_happens(sim, sim->net.cut_one_in) && way->cut_until_ns < sim->now_ns)
        way->cut_until_ns = sim->now_ns + sim->net.cut_ns;
    if (due_ns < way->last_due_ns)
        due_ns = way->last_due_ns;
    way->last_due_ns = due_ns;
    count = part_of(sim, count < room ? count : room);
    for (uint64_t i = 0; i < count; i++)
        way->bytes[(way->sent + i) % way->capacity] = ((const uint8_t *)bytes)[i];
    way->sent += count;
    way->arrivals[way->arrival_count++] = (struct sim_arrival){way->sent, due_ns};
    return (int64_t)count;
}

/* How far bytes have arrived; *@due_ns: when more will have, UINT64_MAX: it is not known. */
static uint64_t arrived(const struct sim *sim, struct sim_way *way, uint64_t *due_ns)
{
    uint64_t upto = way->taken;

    *due_ns = UINT64_MAX;
    for (unsigned i = way->arrival_first; i < way->arrival_count; i++) {
        uint64_t at_ns = way->arrivals[i].due_ns;

        if (at_ns < way->cut_until_ns)
            at_ns = way->cut_until_ns;
        if (at_ns > sim->now_ns) {
            *due_ns = at_ns;
            break;
        }
        upto = way->arrivals[i].upto;
    }
    return upto;
}

static void forget_arrivals(struct sim_way *way)
{
    while (way->arrival_first < way->arrival_count &&
           way->arrivals[way->arrival_first].upto <= way->taken)
        way->arrival_first++;
    if (way->arrival_first == way->arrival_count)
        way->arrival_first = way->arrival_count = 0;
}

int64_t sim_way_take(
    struct sim *sim, struct sim_way *way, void *bytes, uint64_t count, uint64_t *due_ns)
{
    uint64_t there = arrived(sim, way, due_ns) - way->taken;

    if (there == 0)
        return 0;
    count = part_of(sim, count < there ? count : there);
    for (uint64_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = way->bytes[(way->taken + i) % way->capacity];
    way->taken += count;
    forget_arrivals(way);
    return (int64_t)count;
}
