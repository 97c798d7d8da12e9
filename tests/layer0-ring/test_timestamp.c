/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: times travel with the events that should have them, nothing of a payload is lost by it, and
 * what consumers count of them is what anyone sees.
 * Method: ends of one process on a small ring, under a clock of the test's own.
 */
#include "lamina/base/histogram.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/stat.h"
#include "lamina/ring/timestamp.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define DEPTH 64

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_batch batch;
static struct lam_ring_consumer consumer;
static struct lam_error error;
static struct lam_base_ops ops;
static uint64_t now_ns = 1000;

static uint64_t read_clock(void)
{
    return now_ns;
}

static void open_ring(uint32_t every, uint32_t histograms, uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "timestamp",
        .depth = DEPTH,
        .histograms = histograms,
        .first_sequence = first_sequence};
    struct lam_ring_producer_options producing = {.timestamp_every = every};

    ops = lam_base_linux;
    ops.now_ns = read_clock;
    lam_base = &ops;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &producing, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
}

static void close_ring(void)
{
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

TestSuite(timestamp, .timeout = 20);

static void publish(const char *text)
{
    void *payload;

    cr_assert(eq(int, lam_ring_producer_try_claim_timed(&producer, strlen(text), &payload), 1));
    memcpy(payload, text, strlen(text));
    lam_ring_producer_commit_timed(&producer, strlen(text), 7, LAM_EVENT_LAST_FRAME);
}

/* Take the next event and look at what the application would. Returns whether it had the time. */
static int take(const char *text, uint64_t *at_ns)
{
    struct lam_event event;
    int timed;

    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    timed = lam_event_timestamp(&event, at_ns);
    cr_assert(eq(int, lam_ring_consumer_unwrap(&consumer, &event), 0));
    cr_assert(eq(u32, event.payload_bytes, (uint32_t)strlen(text)));
    cr_assert(memcmp(event.payload, text, strlen(text)) == 0);
    cr_assert(eq(int, event.flags &LAM_EVENT_EXTENSIONS, 0));
    cr_assert(eq(int, event.kind, 7));
    cr_assert(eq(int, event.flags, LAM_EVENT_LAST_FRAME));
    lam_ring_consumer_release(&consumer);
    return timed;
}

static void every_nth(uint32_t every, uint64_t first_sequence)
{
    uint64_t at_ns = 0;

    open_ring(every, 0, first_sequence);
    for (uint32_t i = 0; i < 200; i++) {
        int wanted = every != 0 && i % every == 0;

        now_ns += 10;
        publish("forty-eight bytes of payload, and no more of it.");
        cr_assert(eq(int, take("forty-eight bytes of payload, and no more of it.", &at_ns), wanted),
            "every %u, event %u", every, i);
        if (wanted)
            cr_assert(eq(u64, at_ns, now_ns));
    }
    close_ring();
}

Test(timestamp, every_nth_commit_carries_the_time)
{
    every_nth(0, 0);
    every_nth(1, (UINT64_C(1) << 32) - 3);
    every_nth(3, (UINT64_C(1) << 63) - 3);
    every_nth(8, UINT64_MAX - 2);
}

Test(timestamp, the_time_is_that_of_the_commit_and_not_of_the_claim)
{
    uint64_t at_ns;
    void *payload;

    open_ring(1, 0, 0);
    cr_assert(eq(int, lam_ring_producer_claim_timed_until(&producer, 2, now_ns + 1, &payload), 0));
    memcpy(payload, "ab", 2);
    now_ns += 500;
    lam_ring_producer_commit_timed(&producer, 2, 7, LAM_EVENT_LAST_FRAME);
    cr_assert(eq(int, take("ab", &at_ns), 1));
    cr_assert(eq(u64, at_ns, now_ns));
    close_ring();
}

Test(timestamp, an_abort_leaves_the_time_to_the_next_commit)
{
    uint64_t at_ns;
    void *payload;

    open_ring(4, 0, 0);
    cr_assert(eq(int, lam_ring_producer_try_claim_timed(&producer, 8, &payload), 1));
    lam_ring_producer_abort(&producer);
    publish("next");
    cr_assert(eq(int, take("next", &at_ns), 1));
    close_ring();
}

static void stage(const char *text)
{
    void *payload;

    cr_assert(eq(int,
        lam_ring_batch_stage_timed(&batch, strlen(text), 7, LAM_EVENT_LAST_FRAME, &payload), 1));
    memcpy(payload, text, strlen(text));
}

Test(timestamp, the_first_event_of_a_batch_carries_the_time_of_all)
{
    const char *text = "forty-eight bytes of payload, and no more of it.";
    uint64_t at_ns;

    open_ring(2, 0, UINT64_MAX - 2);
    for (int round = 0; round < 20; round++) {
        uint64_t cells = lam_ring_producer_batch_cells(&producer, 8, strlen(text));

        cr_assert(eq(u64, cells, round % 2 == 0 ? 9 : 8));
        cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, cells, &batch), 1));
        for (int i = 0; i < 8; i++)
            stage(text);
        now_ns += 77;
        lam_ring_batch_commit_timed(&batch);
        for (int i = 0; i < 8; i++)
            cr_assert(eq(int, take(text, &at_ns), round % 2 == 0 && i == 0));
        if (round % 2 == 0)
            cr_assert(eq(u64, at_ns, now_ns));
    }
    close_ring();
}

Test(timestamp, a_batch_that_was_staged_by_plain_calls_is_left_alone)
{
    uint64_t at_ns;
    void *payload;

    open_ring(1, 0, 0);
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 1, &batch), 1));
    cr_assert(eq(int, lam_ring_batch_stage(&batch, 20, 7, LAM_EVENT_LAST_FRAME, &payload), 1));
    memcpy(payload, "bytes that must stay", 20);
    lam_ring_batch_commit_timed(&batch);
    cr_assert(eq(int, take("bytes that must stay", &at_ns), 0));
    close_ring();
}

Test(timestamp, the_largest_payload_is_the_same_whether_the_time_is_due_or_not)
{
    uint64_t bytes_max, at_ns;
    void *payload;
    char *text;

    open_ring(2, 0, 0);
    bytes_max = lam_ring_producer_timed_bytes_max(&producer);
    cr_assert(eq(u64, bytes_max, lam_ring_payload_bytes_max(&ring) - 16));
    text = calloc(1, bytes_max + 1);
    memset(text, 'x', bytes_max);
    for (int i = 0; i < 4; i++) {
        cr_assert(eq(
            int, lam_ring_producer_try_claim_timed(&producer, bytes_max + 1, &payload), -EMSGSIZE));
        cr_assert(
            eq(int, lam_ring_producer_try_claim_timed(&producer, UINT64_MAX, &payload), -EMSGSIZE));
        cr_assert(eq(int,
            lam_ring_producer_claim_timed_until(&producer, bytes_max + 1, 0, &payload), -EMSGSIZE));
        publish(text);
        cr_assert(eq(int, take(text, &at_ns), i % 2 == 0));
    }
    free(text);
    close_ring();
}

Test(timestamp, an_observer_sees_the_latencies_of_each_consumer)
{
    struct lam_ring_consumer second;
    uint64_t at_ns, value_ns;

    open_ring(1, 1, 0);
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, NULL, &error), 0));
    for (uint64_t i = 1; i <= 60; i++) {
        publish("text");
        now_ns += i;
        cr_assert(eq(int, take("text", &at_ns), 1));
        lam_ring_consumer_release_to(&second, consumer.next);
    }
    cr_assert(ne(ptr, (void *)lam_ring_latency(&ring, consumer.index), NULL));
    cr_assert(eq(u64, lam_histogram_total(lam_ring_latency(&ring, consumer.index)), 60));
    cr_assert(eq(
        int, lam_histogram_quantile(lam_ring_latency(&ring, consumer.index), 500, &value_ns), 0));
    cr_assert(eq(u64, value_ns, 30));
    cr_assert(eq(ptr, (void *)lam_ring_latency(&ring, second.index), NULL), "made for one only");
    lam_ring_consumer_detach(&second);
    lam_ring_consumer_detach(&consumer);
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
    cr_assert(eq(u64, lam_histogram_total(lam_ring_latency(&ring, consumer.index)), 0),
        "who joins starts with none");
    close_ring();
}

Test(timestamp, a_consumer_without_a_histogram_unwraps_all_the_same)
{
    struct lam_event event;

    open_ring(1, 0, 0);
    publish("text");
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(u32, event.payload_bytes, 20));
    cr_assert(eq(int, lam_ring_consumer_unwrap(&consumer, &event), 0));
    cr_assert(eq(u32, event.payload_bytes, 4));
    cr_assert(eq(int, lam_ring_consumer_unwrap(&consumer, &event), 0), "twice is once");
    cr_assert(eq(u32, event.payload_bytes, 4));
    close_ring();
}

Test(timestamp, a_lossy_consumer_counts_what_it_copied)
{
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    struct lam_ring_consumer lossy;
    struct lam_event event;
    char buffer[64];
    uint64_t lost;

    open_ring(1, 2, 0);
    cr_assert(eq(int, lam_ring_consumer_attach(&lossy, &ring, &options, &error), 0));
    publish("text");
    now_ns += 40;
    cr_assert(
        eq(int, lam_ring_consumer_try_read(&lossy, buffer, sizeof(buffer), &event, &lost), 1));
    cr_assert(eq(int, lam_ring_consumer_unwrap(&lossy, &event), 0));
    cr_assert(memcmp(event.payload, "text", 4) == 0);
    cr_assert(eq(u64, lam_histogram_total(lam_ring_latency(&ring, lossy.index)), 1));
    lam_ring_consumer_detach(&lossy);
    close_ring();
}

Test(timestamp, a_time_to_come_counts_as_none_and_does_not_leave_the_histogram)
{
    uint64_t at_ns, value_ns;

    open_ring(1, 1, 0);
    now_ns = UINT64_MAX;
    publish("text");
    now_ns = 5;
    cr_assert(eq(int, take("text", &at_ns), 1));
    cr_assert(eq(int, lam_histogram_quantile(lam_ring_latency(&ring, 0), 1000, &value_ns), 0));
    cr_assert(eq(u64, value_ns, 0));
    publish("text");
    now_ns = UINT64_MAX;
    cr_assert(eq(int, take("text", &at_ns), 1));
    cr_assert(eq(u64, lam_histogram_total(lam_ring_latency(&ring, 0)), 2));
    close_ring();
}

Test(timestamp, an_event_shorter_than_its_extensions_is_refused)
{
    uint8_t bytes[48] = {0};
    struct lam_event event = {.payload = bytes, .flags = LAM_EVENT_TIMESTAMP};
    uint64_t at_ns = 5;

    for (uint32_t payload_bytes = 0; payload_bytes < 16; payload_bytes++) {
        event.payload_bytes = payload_bytes;
        cr_assert(eq(int, lam_event_timestamp(&event, &at_ns), -EPROTO));
        cr_assert(eq(int, lam_event_strip(&event), -EPROTO));
        cr_assert(eq(u32, event.payload_bytes, payload_bytes));
    }
    event.flags = LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C;
    event.payload_bytes = 47;
    cr_assert(eq(int, lam_event_timestamp(&event, &at_ns), -EPROTO));
    cr_assert(eq(u64, at_ns, 5));
}

Test(timestamp, the_time_stands_behind_a_correlation_and_before_a_checksum)
{
    struct lam_event_timestamp words[4] = {{.at_ns = 1}, {.at_ns = 2}, {.at_ns = 3}, {.at_ns = 4}};
    struct lam_event event = {.payload = words, .payload_bytes = sizeof(words)};
    uint64_t at_ns = 0;

    event.flags = LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C | 0x100;
    cr_assert(eq(int, lam_event_timestamp(&event, &at_ns), 1));
    cr_assert(eq(u64, at_ns, 2));
    cr_assert(eq(int, lam_event_strip(&event), 0));
    cr_assert(eq(ptr, (void *)event.payload, &words[3]));
    cr_assert(eq(int, event.flags, 0x100));
}

Test(timestamp, more_histograms_than_consumers_are_refused_and_a_false_count_is_seen)
{
    struct lam_ring_options options = {.name = "timestamp",
        .backing = LAM_BACKING_MEMFD,
        .depth = DEPTH,
        .schema = "schema bytes",
        .schema_bytes = 12,
        .histograms = 65};
    struct lam_ring_attach_options observe = {.observe = 1};
    struct lam_ring seen;
    int data_fd, control_fd;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "65 histograms"), NULL), "%s", error.text);
    options.histograms = 64;
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    lam_ring_fds(&ring, &data_fd, &control_fd);
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), 0));
    cr_assert(eq(u64, lam_histogram_total(lam_ring_latency(&seen, 63)), 0));
    lam_ring_detach(&seen);
    ring.control_head->histogram_count = 65;
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), -EPROTO));
    ring.control_head->histogram_count = 63;
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), -EPROTO));
    ring.control_head->histogram_count = 64;
    ring.control_head->histogram_offset += 128;
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), -EPROTO));
    (void)lam_ring_destroy(&ring);
}
