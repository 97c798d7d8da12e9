/* SPDX-License-Identifier: Apache-2.0 */
#include "stat_print.h"

#include "lamina/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const peer_states[] = {"absent", "starting", "ready", "ended", "died"};
static const char *const ring_states[] = {"new", "open", "closed", "dead", "poisoned", "failed"};

static double rate(uint64_t now, uint64_t before, const struct lam_observed_ring *from,
    const struct lam_observed_ring *to)
{
    double seconds = (double)(to->at_ns - from->at_ns) / 1e9;

    return seconds > 0 && now >= before ? (double)(now - before) / seconds : 0;
}

/* The producer's name as an end: the instance of `from` that writes this ring. */
static void producer_name(const struct lam_plan *plan, const struct lam_observed_ring *ring,
    char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    const struct lam_plan_role *role = lam_plan_role(plan, ring->edge->from);
    const char *dot = strrchr(ring->name, '.');
    uint32_t index = 0;

    if (ring->edge->direction == LAM_TOPOLOGY_FAN_IN && dot != NULL)
        (void)sscanf(dot + 1, "%u", &index);
    lam_plan_end_name(role, index, name);
}

/* The consumer that a sleeping producer waits for, or NULL. */
static const struct lam_ring_consumer_stat *blocker(const struct lam_observed_ring *ring)
{
    for (uint32_t i = 0; i < ring->stat.consumer_count; i++)
        if (ring->stat.consumers[i].index + 1 == ring->stat.blocked_on)
            return &ring->stat.consumers[i];
    return NULL;
}

/* The live consumer that is farthest behind, or NULL. */
static const struct lam_ring_consumer_stat *slowest(const struct lam_observed_ring *ring)
{
    const struct lam_ring_consumer_stat *found = NULL;

    for (uint32_t i = 0; i < ring->stat.consumer_count; i++)
        if (ring->stat.consumers[i].alive &&
            (found == NULL || ring->stat.consumers[i].lag_cells > found->lag_cells))
            found = &ring->stat.consumers[i];
    return found;
}

/*
 * "scheduler waits for workers.1" where the ring holds its producer back, "2 of 4 wait for
 * scheduler" where its consumers have taken all.
 */
static void describe_waiting(
    const struct lam_plan *plan, const struct lam_observed_ring *ring, char *text, size_t bytes)
{
    const struct lam_ring_consumer_stat *blocking = blocker(ring);
    const struct lam_ring_consumer_stat *last = slowest(ring);
    char producer[LAM_TOPOLOGY_RING_NAME_BYTES];
    uint32_t idle = 0, alive = 0;

    producer_name(plan, ring, producer);
    for (uint32_t i = 0; i < ring->stat.consumer_count; i++) {
        alive += ring->stat.consumers[i].alive != 0;
        idle += ring->stat.consumers[i].alive && ring->stat.consumers[i].lag_cells == 0;
    }
    if (blocking == NULL && last != NULL && last->lag_cells + 1 >= ring->edge->depth)
        blocking = last;
    if (blocking != NULL)
        (void)snprintf(text, bytes, "%s waits for %s", producer, blocking->name);
    else if (alive == 0)
        (void)snprintf(text, bytes, "no consumer");
    else if (idle == alive && ring->stat.state == LAM_RING_OPEN)
        (void)snprintf(text, bytes, "all wait for %s", producer);
    else if (idle > 0 && ring->stat.state == LAM_RING_OPEN)
        (void)snprintf(text, bytes, "%u of %u wait for %s", idle, alive, producer);
    else
        text[0] = '\0';
}

static void print_processes(const struct lam_observer *observer)
{
    const struct lam_plan *plan = lam_observer_plan(observer);

    (void)printf("%-24s %-9s %8s %7s %14s\n", "process", "state", "pid", "starts", "step");
    for (uint32_t i = 0; i < plan->instance_count; i++) {
        char name[LAM_TOPOLOGY_RING_NAME_BYTES];
        struct lam_topology_peer peer;
        uint32_t index;
        const struct lam_plan_role *role = lam_plan_instance(plan, i, &index);

        lam_plan_end_name(role, index, name);
        lam_observer_peer(observer, i, &peer);
        (void)printf("%-24s %-9s %8d %7u %14" PRIu64 "\n", name, peer_states[peer.state], peer.pid,
            peer.starts, peer.step);
    }
}

void stat_print_text(const struct lam_observer *observer, const struct lam_observed_ring *now,
    const struct lam_observed_ring *before)
{
    const struct lam_plan *plan = lam_observer_plan(observer);

    (void)printf("%s: up %.1f s under process %u\n\n", plan->name,
        (double)(lam_clock_now_ns() - lam_observer_started_ns(observer)) / 1e9,
        lam_observer_up_pid(observer));
    print_processes(observer);
    (void)printf("\n%-24s %-8s %12s %12s %10s %-16s %12s  %s\n", "ring", "state", "messages/s",
        "MB/s", "messages", "slowest", "lag", "waiting");
    for (uint32_t i = 0; i < lam_observer_ring_count(observer); i++) {
        const struct lam_ring_consumer_stat *last = slowest(&now[i]);
        char waiting[192];

        describe_waiting(plan, &now[i], waiting, sizeof(waiting));
        (void)printf("%-24s %-8s %12.0f %12.2f %10" PRIu64 " %-16s %12" PRIu64 "  %s\n",
            now[i].name, ring_states[now[i].stat.state],
            rate(now[i].stat.events, before[i].stat.events, &before[i], &now[i]),
            rate(now[i].stat.bytes, before[i].stat.bytes, &before[i], &now[i]) / 1e6,
            now[i].stat.events, last != NULL ? last->name : "-", last != NULL ? last->lag_cells : 0,
            waiting);
    }
    (void)printf("\n");
}

/* Names of ends and rings hold no quotes; names of consumers are what their process wrote. */
static void print_name(const char *name)
{
    (void)putchar('"');
    for (; *name != '\0'; name++)
        if (*name >= ' ' && *name != '"' && *name != '\\' && *name != 0x7f)
            (void)putchar(*name);
    (void)putchar('"');
}

static void print_ring_json(const struct lam_plan *plan, const struct lam_observed_ring *ring,
    const struct lam_observed_ring *before)
{
    char waiting[192];

    describe_waiting(plan, ring, waiting, sizeof(waiting));
    (void)printf("{\"name\":\"%s\",\"edge\":\"%s\",\"state\":\"%s\",\"messages\":%" PRIu64
                 ",\"bytes\":%" PRIu64
                 ",\"messages_per_s\":%.1f,\"bytes_per_s\":%.1f,\"head\":%" PRIu64
                 ",\"depth\":%" PRIu64 ",\"full\":%" PRIu64 ",\"waiting\":",
        ring->name, ring->edge->name, ring_states[ring->stat.state], ring->stat.events,
        ring->stat.bytes, rate(ring->stat.events, before->stat.events, before, ring),
        rate(ring->stat.bytes, before->stat.bytes, before, ring), ring->stat.head,
        ring->edge->depth, ring->stat.full);
    print_name(waiting);
    (void)printf(",\"consumers\":[");
    for (uint32_t i = 0; i < ring->stat.consumer_count; i++) {
        const struct lam_ring_consumer_stat *consumer = &ring->stat.consumers[i];

        (void)printf("%s{\"name\":", i > 0 ? "," : "");
        print_name(consumer->name);
        (void)printf(",\"pid\":%u,\"alive\":%s,\"lag_cells\":%" PRIu64 ",\"parks\":%" PRIu64 "}",
            consumer->pid, consumer->alive ? "true" : "false", consumer->lag_cells,
            consumer->parks);
    }
    (void)printf("]}");
}

void stat_print_json(const struct lam_observer *observer, const struct lam_observed_ring *now,
    const struct lam_observed_ring *before)
{
    const struct lam_plan *plan = lam_observer_plan(observer);

    (void)printf("{\"topology\":\"%s\",\"up_pid\":%u,\"processes\":[", plan->name,
        lam_observer_up_pid(observer));
    for (uint32_t i = 0; i < plan->instance_count; i++) {
        char name[LAM_TOPOLOGY_RING_NAME_BYTES];
        struct lam_topology_peer peer;
        uint32_t index;
        const struct lam_plan_role *role = lam_plan_instance(plan, i, &index);

        lam_plan_end_name(role, index, name);
        lam_observer_peer(observer, i, &peer);
        (void)printf(
            "%s{\"name\":\"%s\",\"state\":\"%s\",\"pid\":%d,\"starts\":%u,\"step\":%" PRIu64 "}",
            i > 0 ? "," : "", name, peer_states[peer.state], peer.pid, peer.starts, peer.step);
    }
    (void)printf("],\"rings\":[");
    for (uint32_t i = 0; i < lam_observer_ring_count(observer); i++) {
        (void)printf("%s", i > 0 ? "," : "");
        print_ring_json(plan, &now[i], &before[i]);
    }
    (void)printf("]}\n");
}
