/* SPDX-License-Identifier: Apache-2.0 */
/* A sample of a ring, for programs: one JSON object a line. */
#include "ring_stat.h"
#include "tool.h"

#include "lamina/base/histogram.h"
#include "lamina/ring/counter.h"

#include <inttypes.h>
#include <stdio.h>

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
    (void)printf(",\"state\":\"%s\",\"pid\":%u,\"index\":%u,\"alive\":%s",
        ring_stat_consumer_state(consumer), consumer->pid, consumer->index,
        consumer->alive ? "true" : "false");
    (void)printf(",\"required\":%s", consumer->required ? "true" : "false");
    json_number("events", consumer->events);
    json_rate("events_per_s", ring_stat_consumer_rate(consumer, now, before));
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
    json_rate("events_per_s", ring_stat_rate(stat->events, before->stat.events, now, before));
    json_number("bytes", stat->bytes);
    json_rate("bytes_per_s", ring_stat_rate(stat->bytes, before->stat.bytes, now, before));
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

    ring_stat_waiting(stat, waiting, sizeof(waiting));
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
