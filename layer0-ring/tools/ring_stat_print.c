/* SPDX-License-Identifier: Apache-2.0 */
/* A sample of a ring, for people and for programs. */
#include "ring_stat.h"
#include "tool.h"

#include "lamina/base/histogram.h"
#include "lamina/ring/counter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Per second, from one sample to the next; less than 0: there is no rate. */
static double rate(
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

static double consumer_rate(const struct lam_ring_consumer_stat *consumer,
    const struct ring_sample *now, const struct ring_sample *before)
{
    const struct lam_ring_consumer_stat *then = same_before(consumer, before);

    return then == NULL ? -1 : rate(consumer->events, then->events, now, before);
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

/* Who waits for whom, as "the producer waits for reader" or "2 of 3 consumers wait". */
static void describe_waiting(const struct lam_ring_stat *stat, char *text, size_t bytes)
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

static const char *state_of(const struct lam_ring_consumer_stat *consumer)
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

static void print_counters(const struct lam_ring *ring, uint32_t index, const char *indent)
{
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    int count = lam_ring_counters_read(ring, index, values);

    for (int i = 0; i < count; i++) {
        (void)printf("%s", indent);
        tool_print(values[i].name, sizeof(values[i].name));
        (void)printf(": %" PRIu64 "\n", values[i].value);
    }
}

static void print_latency(const struct lam_ring *ring, uint32_t index)
{
    static const uint32_t per_mille[] = {500, 990, 999, 1000};
    static const char *const words[] = {"p50", "p99", "p99.9", "max"};
    const struct lam_histogram *latency = lam_ring_latency(ring, index);

    if (latency == NULL || lam_histogram_total(latency) == 0)
        return;
    (void)printf("    latency:");
    for (size_t i = 0; i < 4; i++) {
        uint64_t value_ns = 0;

        (void)lam_histogram_quantile(latency, per_mille[i], &value_ns);
        (void)printf(" %s %.3f us", words[i], (double)value_ns / 1e3);
    }
    (void)printf(", of %" PRIu64 " times\n", lam_histogram_total(latency));
}

static void print_rate(double value)
{
    if (value < 0)
        (void)printf(" %12s", "-");
    else
        (void)printf(" %12.0f", value);
}

static void print_consumer(const struct lam_ring *ring,
    const struct lam_ring_consumer_stat *consumer, const struct ring_sample *now,
    const struct ring_sample *before)
{
    (void)printf("  ");
    tool_print(consumer->name, sizeof(consumer->name));
    (void)printf(": %s%s", consumer->required ? "required, " : "", state_of(consumer));
    if (consumer->group[0] != '\0') {
        (void)printf(", member of ");
        tool_print(consumer->group, sizeof(consumer->group));
    }
    (void)printf(", pid %u\n   ", consumer->pid);
    print_rate(consumer_rate(consumer, now, before));
    (void)printf(" events/s, %" PRIu64 " released, lag %" PRIu64 " events in %" PRIu64
                 " cells (most %" PRIu64 ")\n",
        consumer->events, consumer->lag_events, consumer->lag_cells, consumer->lag_max);
    (void)printf("    waits that spun %" PRIu64 ", yielded %" PRIu64 ", sleeps %" PRIu64
                 "; empty looks %" PRIu64 "; wakes %" PRIu64 "; lost %" PRIu64 " in %" PRIu64
                 " overruns\n",
        consumer->spin_waits, consumer->yield_waits, consumer->parks, consumer->empty,
        consumer->wakes, consumer->lost, consumer->overruns);
    print_latency(ring, consumer->index);
    print_counters(ring, consumer->index, "    ");
}

/* Whoever attaches has the lock a moment before it signs. */
static void print_producer(const struct lam_ring_stat *stat)
{
    if (stat->producer_pid != 0)
        (void)printf("producer %u\n", stat->producer_pid);
    else
        (void)printf(
            "%s\n", stat->producer_count != 0 ? "a producer is attaching" : "no producer yet");
}

void ring_stat_print(
    const struct lam_ring *ring, const struct ring_sample *now, const struct ring_sample *before)
{
    const struct lam_ring_stat *stat = &now->stat;
    char waiting[128];

    describe_waiting(stat, waiting, sizeof(waiting));
    tool_print(ring->name, sizeof(ring->name));
    (void)printf(": %s, epoch %" PRIu64 ", %" PRIu64 " cells of %u bytes, ",
        tool_state(stat->state), stat->epoch, stat->depth, 1U << ring->cell_shift);
    print_producer(stat);
    (void)printf(" ");
    print_rate(rate(stat->events, before->stat.events, now, before));
    (void)printf(" events/s");
    print_rate(rate(stat->bytes, before->stat.bytes, now, before));
    (void)printf(" bytes/s, %" PRIu64 " events, %" PRIu64 " bytes, head %" PRIu64
                 ", oldest %" PRIu64 "\n",
        stat->events, stat->bytes, stat->head, stat->oldest);
    (void)printf("  full %" PRIu64 " times, %.3f s; waits that spun %" PRIu64 ", yielded %" PRIu64
                 ", sleeps %" PRIu64 "; wakes %" PRIu64 "\n",
        stat->full, (double)stat->blocked_ns / 1e9, stat->spin_waits, stat->yield_waits,
        stat->parks, stat->wakes);
    (void)printf("  repairs %" PRIu64 ", consumers found dead %" PRIu64 ", evicted %" PRIu64
                 ", expelled %" PRIu64 "; alarms %" PRIu64 ", over again %" PRIu64 "\n",
        stat->repairs, stat->reaped, stat->evicted, stat->expelled, stat->alarms, stat->recoveries);
    print_counters(ring, LAM_RING_PRODUCER_INDEX, "  ");
    if (stat->state == LAM_RING_FAILED) {
        (void)printf("  failed: ");
        tool_print(stat->failure, sizeof(stat->failure));
        (void)putchar('\n');
    }
    if (waiting[0] != '\0') {
        (void)printf("  ");
        tool_print(waiting, sizeof(waiting));
        (void)putchar('\n');
    }
    for (uint32_t i = 0; i < stat->consumer_count; i++)
        print_consumer(ring, &stat->consumers[i], now, before);
}

static void json_number(const char *name, uint64_t value)
{
    (void)printf(",\"%s\":%" PRIu64, name, value);
}

static void json_rate(const char *name, double value)
{
    if (value < 0)
        (void)printf(",\"%s\":null", name);
    else
        (void)printf(",\"%s\":%.1f", name, value);
}

static void json_counters(const struct lam_ring *ring, uint32_t index)
{
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    int count = lam_ring_counters_read(ring, index, values);

    (void)printf(",\"counters\":{");
    for (int i = 0; i < count; i++) {
        (void)printf("%s", i > 0 ? "," : "");
        tool_print_json(values[i].name, sizeof(values[i].name));
        (void)printf(":%" PRIu64, values[i].value);
    }
    (void)putchar('}');
}

static void json_latency(const struct lam_ring *ring, uint32_t index)
{
    static const uint32_t per_mille[] = {500, 990, 999, 1000};
    static const char *const words[] = {"p50", "p99", "p999", "max"};
    const struct lam_histogram *latency = lam_ring_latency(ring, index);

    if (latency == NULL) {
        (void)printf(",\"latency_ns\":null");
        return;
    }
    (void)printf(",\"latency_ns\":{\"count\":%" PRIu64, lam_histogram_total(latency));
    for (size_t i = 0; i < 4; i++) {
        uint64_t value_ns;

        if (lam_histogram_quantile(latency, per_mille[i], &value_ns) == 0)
            json_number(words[i], value_ns);
    }
    (void)putchar('}');
}

static void json_consumer(const struct lam_ring *ring,
    const struct lam_ring_consumer_stat *consumer, const struct ring_sample *now,
    const struct ring_sample *before)
{
    (void)printf("{\"name\":");
    tool_print_json(consumer->name, sizeof(consumer->name));
    (void)printf(",\"group\":");
    tool_print_json(consumer->group, sizeof(consumer->group));
    (void)printf(",\"state\":\"%s\",\"pid\":%u,\"index\":%u,\"alive\":%s", state_of(consumer),
        consumer->pid, consumer->index, consumer->alive ? "true" : "false");
    (void)printf(",\"required\":%s", consumer->required ? "true" : "false");
    json_number("events", consumer->events);
    json_rate("events_per_s", consumer_rate(consumer, now, before));
    json_number("cursor", consumer->cursor);
    json_number("lag_events", consumer->lag_events);
    json_number("lag_cells", consumer->lag_cells);
    json_number("lag_cells_max", consumer->lag_max);
    json_number("spin_waits", consumer->spin_waits);
    json_number("yield_waits", consumer->yield_waits);
    json_number("sleeps", consumer->parks);
    json_number("empty", consumer->empty);
    json_number("wakes", consumer->wakes);
    json_number("lost", consumer->lost);
    json_number("overruns", consumer->overruns);
    json_latency(ring, consumer->index);
    json_counters(ring, consumer->index);
    (void)putchar('}');
}

static void json_producer(const struct ring_sample *now, const struct ring_sample *before)
{
    const struct lam_ring_stat *stat = &now->stat;

    json_number("head", stat->head);
    json_number("oldest", stat->oldest);
    json_number("events", stat->events);
    json_rate("events_per_s", rate(stat->events, before->stat.events, now, before));
    json_number("bytes", stat->bytes);
    json_rate("bytes_per_s", rate(stat->bytes, before->stat.bytes, now, before));
    json_number("full", stat->full);
    json_number("blocked_ns", stat->blocked_ns);
    json_number("spin_waits", stat->spin_waits);
    json_number("yield_waits", stat->yield_waits);
    json_number("sleeps", stat->parks);
    json_number("wakes", stat->wakes);
    json_number("repairs", stat->repairs);
    json_number("reaped", stat->reaped);
    json_number("evicted", stat->evicted);
    json_number("expelled", stat->expelled);
    json_number("alarms", stat->alarms);
    json_number("recoveries", stat->recoveries);
}

void ring_stat_print_json(
    const struct lam_ring *ring, const struct ring_sample *now, const struct ring_sample *before)
{
    const struct lam_ring_stat *stat = &now->stat;
    char waiting[128];

    describe_waiting(stat, waiting, sizeof(waiting));
    (void)printf("{\"ring\":");
    tool_print_json(ring->name, sizeof(ring->name));
    (void)printf(",\"at_ns\":%" PRIu64 ",\"state\":\"%s\"", now->at_ns, tool_state(stat->state));
    json_number("epoch", stat->epoch);
    json_number("depth", stat->depth);
    json_number("cell_bytes", UINT64_C(1) << ring->cell_shift);
    if (stat->producer_pid != 0)
        json_number("producer_pid", stat->producer_pid);
    else
        (void)printf(",\"producer_pid\":null");
    json_producer(now, before);
    json_counters(ring, LAM_RING_PRODUCER_INDEX);
    json_number("producers", stat->producer_count);
    json_number("page_bytes", stat->page_bytes);
    (void)printf(",\"file\":%s,\"hardened\":%s,\"failure\":", stat->file ? "true" : "false",
        stat->hardened ? "true" : "false");
    tool_print_json(stat->failure, sizeof(stat->failure));
    (void)printf(",\"waiting\":");
    tool_print_json(waiting, sizeof(waiting));
    (void)printf(",\"consumers\":[");
    for (uint32_t i = 0; i < stat->consumer_count; i++) {
        (void)printf("%s", i > 0 ? "," : "");
        json_consumer(ring, &stat->consumers[i], now, before);
    }
    (void)printf("]}\n");
}
