/* SPDX-License-Identifier: Apache-2.0 */
/* A sample of a ring, for people. */
#include "ring_stat.h"
#include "tool.h"

#include "lamina/base/histogram.h"
#include "lamina/ring/counter.h"

#include <inttypes.h>
#include <stdio.h>

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
    (void)printf(
        ": %s%s", consumer->required ? "required, " : "", ring_stat_consumer_state(consumer));
    if (consumer->group[0] != '\0') {
        (void)printf(", member of ");
        tool_print(consumer->group, sizeof(consumer->group));
    }
    (void)printf(", pid %u\n   ", consumer->pid);
    print_rate(ring_stat_consumer_rate(consumer, now, before));
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

    ring_stat_waiting(stat, waiting, sizeof(waiting));
    tool_print(ring->name, sizeof(ring->name));
    (void)printf(": %s, epoch %" PRIu64 ", %" PRIu64 " cells of %u bytes, ",
        tool_state(stat->state), stat->epoch, stat->depth, 1U << ring->cell_shift);
    print_producer(stat);
    (void)printf(" ");
    print_rate(ring_stat_rate(stat->events, before->stat.events, now, before));
    (void)printf(" events/s");
    print_rate(ring_stat_rate(stat->bytes, before->stat.bytes, now, before));
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
