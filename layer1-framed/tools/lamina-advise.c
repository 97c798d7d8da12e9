/* SPDX-License-Identifier: Apache-2.0 */
/* lamina advise: which cell, depth and bound fit a channel, by who holds nobody back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lamina/base/clock.h"
#include "lamina/framed/advise.h"
#include "lamina/ring/demand.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/stat.h"
#include "tool.h"

#define POLL_NS LAM_NS_PER_MS

static const char help[] =
    "usage: lamina advise CHANNEL [--seconds N] [--directory DIRECTORY] [--json]\n"
    "\n"
    "Watches a channel and says which cell, depth and message bound would fit, and what they cost\n"
    "in memory. Reads along without a place in the ring: no end waits for it or sees it. CHANNEL\n"
    "is the ring's name, or the path of one of its two objects. Watch for as long as it takes to\n"
    "see the channel at its busiest; ends with the channel.\n"
    "\n"
    "  --seconds     how long to watch; 5 by default; 0: what the ring holds now\n"
    "  --directory   where named rings are, /dev/shm by default\n"
    "  --json        one JSON object\n"
    "\n"
    "exit: 0, 1 the output cannot be written, 2 wrong command line, 3 no such ring, or nothing "
    "was\n"
    "sent, 4 it makes no sense\n";

struct watch {
    struct lam_advise_seen seen;
    uint64_t missed;
    uint64_t full_before;
    uint64_t blocked_before_ns;
    uint64_t begin_ns;
};

static struct watch watch;
static struct lam_ring_stat stat;

/* All that is there now. Returns 0 or -EPROTO. */
static int see_some(struct lam_ring_observer *observer)
{
    _Alignas(16) uint8_t bytes[LAM_ADVISE_LOOK_BYTES];
    struct lam_event event;
    uint64_t lost, used_cells;
    uint64_t from = observer->next;
    int rc;

    if (lam_ring_used_cells(observer->ring, &used_cells) != 0)
        return -EPROTO;
    if (used_cells > watch.seen.used_cells_max)
        watch.seen.used_cells_max = used_cells;
    /* A lap at a time: the clock is to be looked at however fast the sender is. */
    do {
        rc = lam_ring_observer_try_read(observer, bytes, sizeof(bytes), &event, &lost);
        if (rc == 1)
            lam_advise_see(&watch.seen, &event, bytes, sizeof(bytes));
        else if (rc == -EOVERFLOW)
            watch.missed += lost;
    } while ((rc == 1 || rc == -EOVERFLOW) && observer->next - from < observer->ring->depth);
    return rc == -EPROTO ? rc : 0;
}

static int is_over(const struct lam_ring *ring)
{
    enum lam_ring_state state = lam_ring_state_read(ring);

    return state != LAM_RING_NEW && state != LAM_RING_OPEN;
}

static int watch_ring(const struct lam_ring *ring, uint64_t watched_ns)
{
    struct lam_ring_observer observer;
    uint64_t end_ns = lam_deadline_after_ns(watched_ns);
    int rc = lam_ring_observer_begin(&observer, ring, LAM_RING_OLDEST);
    int over;

    watch.begin_ns = lam_clock_now_ns();
    if (rc != 0 || lam_ring_stat_read(ring, &stat) != 0)
        return -EPROTO;
    watch.full_before = stat.full;
    watch.blocked_before_ns = stat.blocked_ns;
    do {
        over = is_over(ring) || lam_clock_now_ns() >= end_ns;
        rc = see_some(&observer);
        if (!over)
            tool_pause(POLL_NS);
    } while (rc == 0 && !over);
    return rc;
}

/* What the ends have counted: meanwhile, and the furthest that a receiver was ever behind. */
static int add_counts(const struct lam_ring *ring)
{
    if (lam_ring_stat_read(ring, &stat) != 0)
        return -EPROTO;
    watch.seen.full = stat.full - watch.full_before;
    watch.seen.blocked_ns = stat.blocked_ns - watch.blocked_before_ns;
    watch.seen.watched_ns = lam_clock_now_ns() - watch.begin_ns;
    for (uint32_t i = 0; i < stat.consumer_count; i++) {
        const struct lam_ring_consumer_stat *consumer = &stat.consumers[i];

        if (!consumer->lossy && consumer->lag_max < ring->depth &&
            consumer->lag_max > watch.seen.used_cells_max)
            watch.seen.used_cells_max = consumer->lag_max;
    }
    return 0;
}

static void print_bytes(uint64_t bytes)
{
    if (bytes < 10240)
        (void)printf("%8" PRIu64 " B  ", bytes);
    else if (bytes < 10U << 20)
        (void)printf("%8.1f KiB", (double)bytes / 1024);
    else
        (void)printf("%8.1f MiB", (double)bytes / (1 << 20));
}

static void print_row(const char *what, uint32_t cell_bytes, uint64_t depth, uint32_t waste,
    uint64_t bound, uint64_t memory)
{
    (void)printf("%-10s %6u %10" PRIu64 " %6.1f%%  ", what, cell_bytes, depth, waste / 10.0);
    print_bytes(memory);
    if (bound != 0) {
        (void)printf(" + ");
        print_bytes(bound);
    }
    (void)putchar('\n');
}

/* What cells of another size would cost, where that is a size. */
static void print_other(const char *what, uint32_t cell_bytes)
{
    struct lam_advice other;

    if (lam_advise_cells(&watch.seen, cell_bytes, &other) == 0)
        print_row(what, other.cell_bytes, other.depth, other.waste_per_mille,
            other.message_bytes_max, other.ring_bytes);
}

static void print_reasons(uint32_t reasons)
{
    static const char *const texts[] = {
        "larger cells: messages take several cells where few would do, and little is wasted",
        "smaller cells: most of each cell is empty",
        "depth: twice the most that was in use at once",
        "depth: half of the ring holds 99 of 100 messages in place",
        "it was full: how much more would have been in use cannot be seen; watch again afterwards",
        "it was full for most of the time: the receivers are too slow, and no depth changes that",
        "a few messages go in frames: each receiver needs a buffer of the bound",
        "nothing was ever held: nobody gates, so the depth is what it was, in messages"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if ((reasons >> i & 1) != 0)
            (void)printf("- %s\n", texts[i]);
}

static void print_text(const struct lam_ring *ring, const struct lam_advice *advice)
{
    const struct lam_advise_seen *seen = &watch.seen;

    tool_print(ring->name, sizeof(ring->name));
    (void)printf(": %" PRIu64 " events in %.1f s, %" PRIu64 " missed; %" PRIu64
                 " messages, %" PRIu64 " of them in frames\n",
        seen->events, (double)seen->watched_ns / LAM_NS_PER_S, watch.missed, seen->messages,
        seen->framed_messages);
    (void)printf("bytes: p50 %" PRIu64 ", p99 %" PRIu64 ", most %" PRIu64 "\n", advice->bytes_p50,
        advice->bytes_p99, seen->bytes_max);
    (void)printf("in use: %.1f%% at most; no room %" PRIu64 " times, for %.1f ms\n\n",
        (double)seen->used_cells_max * 100 / (double)(seen->depth - 1), seen->full,
        (double)seen->blocked_ns / LAM_NS_PER_MS);
    (void)printf("           cell B      depth   waste    memory + bound for each receiver\n");
    print_row("as it is", seen->cell_bytes, seen->depth, advice->waste_per_mille_now, 0,
        advice->ring_bytes_now);
    print_other("smaller", advice->cell_bytes / 2);
    print_row("advised", advice->cell_bytes, advice->depth, advice->waste_per_mille,
        advice->message_bytes_max, advice->ring_bytes);
    print_other("larger", advice->cell_bytes * 2);
    print_reasons(advice->reasons);
}

static void json_number(const char *name, uint64_t value)
{
    (void)printf(",\"%s\":%" PRIu64, name, value);
}

static void print_json(const struct lam_ring *ring, const struct lam_advice *advice)
{
    static const char *const words[] = {"cell_larger", "cell_smaller", "for_bursts", "for_size",
        "was_full", "receiver_slow", "frames_stay", "fullness_unknown"};
    const struct lam_advise_seen *seen = &watch.seen;
    const char *comma = "";

    (void)printf("{\"name\":");
    tool_print_json(ring->name, sizeof(ring->name));
    json_number("events", seen->events);
    json_number("missed", watch.missed);
    json_number("messages", seen->messages);
    json_number("framed_messages", seen->framed_messages);
    json_number("watched_ns", seen->watched_ns);
    json_number("bytes_p50", advice->bytes_p50);
    json_number("bytes_p99", advice->bytes_p99);
    json_number("bytes_max", seen->bytes_max);
    json_number("used_cells_max", seen->used_cells_max);
    json_number("full", seen->full);
    json_number("blocked_ns", seen->blocked_ns);
    json_number("cell_bytes_now", seen->cell_bytes);
    json_number("depth_now", seen->depth);
    json_number("waste_per_mille_now", advice->waste_per_mille_now);
    json_number("ring_bytes_now", advice->ring_bytes_now);
    json_number("cell_bytes", advice->cell_bytes);
    json_number("depth", advice->depth);
    json_number("message_bytes_max", advice->message_bytes_max);
    json_number("waste_per_mille", advice->waste_per_mille);
    json_number("ring_bytes", advice->ring_bytes);
    (void)printf(",\"reasons\":[");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((advice->reasons >> i & 1) != 0) {
            (void)printf("%s\"%s\"", comma, words[i]);
            comma = ",";
        }
    (void)puts("]}");
}

static int advise(const struct lam_ring *ring, uint64_t watched_ns, int json)
{
    struct lam_advice advice;
    int rc;

    watch.seen.cell_bytes = 1U << ring->cell_shift;
    watch.seen.depth = ring->depth;
    rc = watch_ring(ring, watched_ns);
    if (rc == 0)
        rc = add_counts(ring);
    if (rc == 0)
        rc = lam_advise(&watch.seen, &advice);
    if (rc == -ENODATA) {
        (void)fprintf(stderr, "lamina advise: ring %s: no message was seen\n", ring->name);
        return TOOL_NOT_THERE;
    }
    if (rc != 0) {
        (void)fprintf(
            stderr, "lamina advise: ring %s: its data object makes no sense\n", ring->name);
        return TOOL_DAMAGED;
    }
    if (json)
        print_json(ring, &advice);
    else
        print_text(ring, &advice);
    (void)tool_flush();
    return 0;
}

int main(int argc, char **argv)
{
    const char *operand, *seconds = "5", *directory = NULL;
    int json = 0, code;
    const struct tool_option options[] = {{"--seconds", NULL, &seconds},
        {"--directory", NULL, &directory}, {"--json", &json, NULL}, {NULL, NULL, NULL}};
    uint64_t watched_ns;
    struct lam_ring ring;

    tool_read("lamina advise", help, options, argc, argv, &operand);
    if (operand == NULL)
        tool_refuse("no channel was given");
    watched_ns = tool_duration_ns("--seconds", seconds);
    code = tool_attach(&ring, directory, operand);
    if (code != 0)
        return code;
    code = advise(&ring, watched_ns, json);
    lam_ring_detach(&ring);
    return tool_exit_code(code);
}
