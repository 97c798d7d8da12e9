/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application's counters. Names lie in memory that every end can write: they are compared and
 * copied by their bounds, never as strings that end.
 */
#include "lamina/ring/counter.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

static int find(struct lam_ring_counter *counters, const char *name, lam_atomic_u64 **counter)
{
    if (name == NULL || name[0] == '\0' || strlen(name) > LAM_RING_COUNTER_NAME_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < LAM_RING_COUNTER_COUNT; i++) {
        if (counters[i].name[0] == '\0') {
            lam_store_relaxed(&counters[i].value, 0);
            memset(counters[i].name, 0, sizeof(counters[i].name));
            memcpy(counters[i].name, name, strlen(name));
        }
        if (strncmp(counters[i].name, name, sizeof(counters[i].name)) == 0) {
            *counter = &counters[i].value;
            return 0;
        }
    }
    return -ENOSPC;
}

int lam_ring_producer_counter(
    struct lam_ring_producer *producer, const char *name, lam_atomic_u64 **counter)
{
    return find(producer->ring->control_head->counters[LAM_RING_PRODUCER_INDEX], name, counter);
}

int lam_ring_consumer_counter(
    struct lam_ring_consumer *consumer, const char *name, lam_atomic_u64 **counter)
{
    return find(consumer->ring->control_head->counters[consumer->index], name, counter);
}

int lam_ring_counters_read(const struct lam_ring *ring, uint32_t index,
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT])
{
    uint32_t count = 0;

    if (index > LAM_RING_PRODUCER_INDEX)
        return -EINVAL;
    for (uint32_t i = 0; i < LAM_RING_COUNTER_COUNT; i++) {
        const struct lam_ring_counter *counter = &ring->control_head->counters[index][i];
        struct lam_ring_counter_value *value = &values[count];

        memcpy(value->name, counter->name, LAM_RING_COUNTER_NAME_MAX);
        value->name[LAM_RING_COUNTER_NAME_MAX] = '\0';
        value->value = lam_load_relaxed(&counter->value);
        count += value->name[0] != '\0';
    }
    return (int)count;
}
