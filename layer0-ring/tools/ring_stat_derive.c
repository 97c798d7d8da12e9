/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a sample of a ring and the one before: rates, and who waits for whom. */
#include "ring_stat.h"

#include <stdio.h>

double ring_stat_rate(
    uint64_t now, uint64_t then, const struct ring_sample *to, const struct ring_sample *from)
{
    if (from->at_ns == 0 || to->at_ns <= from->at_ns || now < then)
        return -1;
    return (double)(now - then) * 1e9 / (double)(to->at_ns - from->at_ns);
}

/* The same consumer in the sample before, or NULL: the entry is another's by now. */
static const struct lam_ring_consumer_stat *same_before(
    const struct lam_ring_consumer_stat *consumer, const struct ring_sample *before)
{
    for (uint32_t i = 0; before->at_ns != 0 && i < before->stat.consumer_count; i++)
        if (before->stat.consumers[i].index == consumer->index &&
            before->stat.consumers[i].pid == consumer->pid)
            return &before->stat.consumers[i];
    return NULL;
}

double ring_stat_consumer_rate(const struct lam_ring_consumer_stat *consumer,
    const struct ring_sample *now, const struct ring_sample *before)
{
    const struct lam_ring_consumer_stat *then = same_before(consumer, before);

    return then == NULL ? -1 : ring_stat_rate(consumer->events, then->events, now, before);
}

/* Whom the producer waits for, or would if it went on: the gating consumer farthest behind. */
static const struct lam_ring_consumer_stat *holder(const struct lam_ring_stat *stat)
{
    const struct lam_ring_consumer_stat *found = NULL;

    for (uint32_t i = 0; i < stat->consumer_count; i++) {
        const struct lam_ring_consumer_stat *consumer = &stat->consumers[i];

        if (consumer->index + 1 == stat->blocked_on)
            return consumer;
        if (!consumer->lossy && !consumer->evicted && !consumer->expelled &&
            (found == NULL || consumer->lag_cells > found->lag_cells))
            found = consumer;
    }
    return found != NULL && found->lag_cells + 1 >= stat->depth ? found : NULL;
}

void ring_stat_waiting(const struct lam_ring_stat *stat, char *text, size_t bytes)
{
    const struct lam_ring_consumer_stat *holding = holder(stat);
    uint32_t alive = 0, idle = 0;

    for (uint32_t i = 0; i < stat->consumer_count; i++) {
        alive += stat->consumers[i].alive;
        idle += stat->consumers[i].alive && stat->consumers[i].lag_cells == 0;
    }
    if (holding != NULL)
        (void)snprintf(
            text, bytes, "the producer waits for %.*s", LAM_RING_CONSUMER_NAME_MAX, holding->name);
    else if (alive == 0)
        (void)snprintf(text, bytes, "no consumer");
    else if (idle > 0 && stat->state == LAM_RING_OPEN)
        (void)snprintf(text, bytes, "%u of %u consumers wait for the producer", idle, alive);
    else
        text[0] = '\0';
}

const char *ring_stat_consumer_state(const struct lam_ring_consumer_stat *consumer)
{
    if (consumer->expelled)
        return "expelled";
    if (consumer->evicted)
        return "evicted";
    if (!consumer->alive)
        return "dead";
    if (consumer->asleep)
        return consumer->lossy ? "lossy, asleep" : "asleep";
    return consumer->lossy ? "lossy" : "gating";
}
