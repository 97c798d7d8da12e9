/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever order claims, commits, aborts, batches, joins, leaves and releases come in, each
 * consumer sees exactly the published events from its start on, every byte right.
 *
 * Method: one thread, a ring of few cells, random operations, and beside it a plain array of what
 * was published. Payloads are full of words that look like stamps. Runs at several geometries and
 * at first sequences near the wraps of 32, 63 and 64 bits.
 *
 * Mutants this kills: no clearing at claim; no clearing at a shorter commit; an abort that does not
 * wear its cells; a horizon above a consumer's cursor; a limit one cell too far.
 */
#include "lamina/ring/batch.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "ring_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONSUMERS 3
#define HISTORY   4096

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: step %llu of %s: %s\n", __FILE__, __LINE__,              \
                (unsigned long long)model.step, model.title, #condition);                          \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

struct published {
    uint64_t sequence;
    uint32_t bytes;
};

struct reader {
    struct lam_ring_consumer consumer;
    int joined;
    uint64_t next;     /* number of the next event to peek */
    uint64_t released; /* all below are released */
    uint64_t ends[HISTORY];
};

static struct {
    struct lam_ring ring;
    struct lam_ring_producer producer;
    struct reader readers[CONSUMERS];
    struct published history[HISTORY];
    uint64_t published; /* events so far */
    uint64_t bytes;     /* of those */
    struct lam_ring_consumer lossy;
    int lossy_joined;
    uint64_t lossy_next; /* number of its next event */
    uint64_t lossy_lost;
    uint64_t random;
    uint64_t step;
    uint32_t bytes_max;
    char title[96];
} model;

static uint64_t lost_events; /* of all runs: the lossy reader must have been lapped */

static uint64_t pick(uint64_t count)
{
    return test_random(&model.random) % count;
}

static void record(uint64_t sequence, uint32_t bytes)
{
    model.history[model.published % HISTORY] =
        (struct published){.sequence = sequence, .bytes = bytes};
    model.published++;
    model.bytes += bytes;
}

/* No consumer may be further behind than the ring is deep: what the model says about room. */
static uint64_t room(void)
{
    uint64_t head = model.producer.next;
    uint64_t lag = 0;

    for (int i = 0; i < CONSUMERS; i++) {
        struct reader *reader = &model.readers[i];
        uint64_t at = reader->released == model.published
                          ? head
                          : model.history[reader->released % HISTORY].sequence;

        if (reader->joined && head - at > lag)
            lag = head - at;
    }
    return model.ring.depth - lag - 1;
}

static void publish_one(void)
{
    uint32_t bytes = test_event_bytes(test_random(&model.random), model.bytes_max);
    uint32_t claimed = bytes + (uint32_t)pick(model.bytes_max - bytes + 1);
    uint64_t cells = lam_ring_event_cells(&model.ring, claimed);
    int fits = cells <= room();
    uint64_t sequence = model.producer.next;
    void *payload = NULL;
    int rc = lam_ring_producer_try_claim(&model.producer, claimed, &payload);

    CHECK(rc == fits);
    if (!fits)
        return;
    CHECK((uintptr_t)payload % 16 == 0);
    if (pick(8) == 0) {
        test_event_fill(payload, claimed, model.published + 1, sequence);
        lam_ring_producer_abort(&model.producer);
        return;
    }
    /* Bytes that the shorter commit drops are full of stamps, too. */
    test_event_fill(payload, claimed, model.published + 1, sequence);
    test_event_fill(payload, bytes, model.published, sequence);
    lam_ring_producer_commit(&model.producer, bytes, (uint16_t)(model.published & 0x7fff), 0);
    record(sequence, bytes);
}

static void publish_batch(void)
{
    struct lam_ring_batch batch;
    uint64_t cells = 1 + pick(model.ring.depth - 1);
    int fits = cells <= room();
    int abort_it = pick(6) == 0;
    uint64_t count = 1 + pick(9), staged = 0;
    uint64_t before = model.published, bytes_before = model.bytes;
    int rc = lam_ring_producer_try_claim_batch(&model.producer, cells, &batch);

    CHECK(rc == fits);
    if (!fits)
        return;
    while (staged < count) {
        uint32_t bytes = test_event_bytes(test_random(&model.random), model.bytes_max);
        uint64_t sequence = batch.staged;
        void *payload = NULL;

        rc = lam_ring_batch_stage(&batch, bytes, (uint16_t)(model.published & 0x7fff), 0, &payload);
        if (rc == 0)
            break;
        CHECK(rc == 1);
        test_event_fill(payload, bytes, model.published, sequence);
        record(sequence, bytes);
        staged++;
    }
    if (!abort_it) {
        lam_ring_batch_commit(&batch);
        return;
    }
    lam_ring_producer_abort(&model.producer);
    model.published = before;
    model.bytes = bytes_before;
}

static void peek(struct reader *reader)
{
    const struct published *expected = &model.history[reader->next % HISTORY];
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_try_peek(&reader->consumer, &event);

    CHECK(rc == (reader->next < model.published));
    if (rc == 0)
        return;
    CHECK(event.sequence == expected->sequence);
    CHECK(event.payload_bytes == expected->bytes);
    CHECK(event.kind == (reader->next & 0x7fff));
    CHECK(test_event_is(event.payload, event.payload_bytes, reader->next, event.sequence));
    reader->ends[reader->next % HISTORY] = event.end;
    reader->next++;
}

static void release(struct reader *reader)
{
    if (reader->released == reader->next)
        return;
    reader->released += 1 + pick(reader->next - reader->released);
    /* What was held until now must not have changed. */
    for (uint64_t number = reader->released; number < reader->next; number++) {
        const struct published *held = &model.history[number % HISTORY];
        const struct lam_event_header *header =
            lam_ring_consumer_cell(&reader->consumer, held->sequence);

        CHECK(test_event_is(header + 1, held->bytes, number, held->sequence));
    }
    if (reader->released == reader->next)
        lam_ring_consumer_release(&reader->consumer);
    else
        lam_ring_consumer_release_to(
            &reader->consumer, reader->ends[(reader->released - 1) % HISTORY]);
}

static void join(struct reader *reader)
{
    struct lam_ring_consumer_options options = {
        .start = pick(2) == 0 ? LAM_RING_HEAD : LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};
    uint64_t number = model.published;

    CHECK(lam_ring_consumer_attach(&reader->consumer, &model.ring, &options, NULL) == 0);
    CHECK(options.start == LAM_RING_HEAD || reader->consumer.next == model.producer.horizon);
    /* Oldest is an event boundary of ours, at most a ring behind. */
    while (
        options.start == LAM_RING_OLDEST && number > 0 &&
        model.history[(number - 1) % HISTORY].sequence - reader->consumer.next < model.ring.depth)
        number--;
    CHECK(reader->consumer.ordinal == number);
    CHECK(reader->consumer.next == (number == model.published
                                           ? model.producer.next
                                           : model.history[number % HISTORY].sequence));
    reader->joined = 1;
    reader->next = number;
    reader->released = number;
}

static void leave(struct reader *reader)
{
    lam_ring_consumer_detach(&reader->consumer);
    reader->joined = 0;
}

/* A lossy reader: in order, whole, and what it missed is counted to the last event. */
static void read_lossy(void)
{
    static uint8_t buffer[1 << 20];
    struct lam_event event = {.payload = NULL};
    uint64_t lost = 0;
    int rc = lam_ring_consumer_try_read(&model.lossy, buffer, sizeof(buffer), &event, &lost);

    if (rc == -EOVERFLOW) {
        CHECK(lost > 0);
        model.lossy_next += lost;
        model.lossy_lost += lost;
        CHECK(model.lossy_next <= model.published);
        CHECK(model.lossy.next == (model.lossy_next == model.published
                                          ? model.producer.next
                                          : model.history[model.lossy_next % HISTORY].sequence));
        return;
    }
    CHECK(rc == (model.lossy_next < model.published));
    if (rc == 0)
        return;
    const struct published *expected = &model.history[model.lossy_next % HISTORY];

    CHECK(event.sequence == expected->sequence && event.payload_bytes == expected->bytes);
    CHECK(test_event_is(buffer, event.payload_bytes, model.lossy_next, event.sequence));
    model.lossy_next++;
}

static void join_lossy(void)
{
    struct lam_ring_consumer_options options = {
        .start = pick(2) == 0 ? LAM_RING_HEAD : LAM_RING_OLDEST, .policy = LAM_RING_LOSSY};

    if (model.lossy_joined)
        lam_ring_consumer_detach(&model.lossy);
    CHECK(lam_ring_consumer_attach(&model.lossy, &model.ring, &options, NULL) == 0);
    model.lossy_joined = 1;
    model.lossy_next = model.lossy.ordinal;
    CHECK(options.start == LAM_RING_OLDEST || model.lossy_next == model.published);
    CHECK(model.lossy.next == (model.lossy_next == model.published
                                      ? model.producer.next
                                      : model.history[model.lossy_next % HISTORY].sequence));
}

static void step(void)
{
    struct reader *reader = &model.readers[pick(CONSUMERS)];
    uint64_t what = pick(100);

    if (pick(4) == 0)
        model.lossy_joined &&pick(400) != 0 ? read_lossy() : join_lossy();
    if (what < 30)
        publish_one();
    else if (what < 40)
        publish_batch();
    else if (!reader->joined)
        what < 44 ? join(reader) : (void)0;
    else if (what < 72)
        peek(reader);
    else if (what < 99)
        release(reader);
    else
        leave(reader);
}

static void check_counts(void)
{
    struct lam_ring_stat stat;

    CHECK(lam_ring_stat_read(&model.ring, &stat) == 0);
    CHECK(stat.events == model.published);
    CHECK(stat.head == model.producer.next);
    CHECK(stat.state == LAM_RING_OPEN);
}

/* A producer that leaves without a word, and a successor that must find the same ring. */
static void succeed(void)
{
    uint64_t head = model.producer.next;
    uint64_t events = model.published;
    uint64_t epoch = model.producer.epoch;
    struct lam_ring_stat stat;

    lam_ring_producer_detach(&model.producer);
    CHECK(lam_ring_stat_read(&model.ring, &stat) == 0 && stat.bytes == model.bytes);
    CHECK(lam_ring_producer_attach(&model.producer, &model.ring, NULL, NULL) == 0);
    CHECK(model.producer.next == head);
    CHECK(model.producer.ordinal == events);
    CHECK(model.producer.epoch == epoch + 1);
}

static void run(uint64_t depth, uint32_t cell_bytes, uint64_t first_sequence, uint64_t steps)
{
    struct lam_ring_options options = {.name = "model",
        .depth = depth,
        .cell_bytes = cell_bytes,
        .first_sequence = first_sequence};

    memset(&model, 0, sizeof(model));
    model.random = depth * 31 + first_sequence + cell_bytes;
    (void)snprintf(model.title, sizeof(model.title), "depth %llu, cells of %u, from %llx",
        (unsigned long long)depth, cell_bytes, (unsigned long long)first_sequence);
    CHECK(lam_ring_create(&model.ring, &options, NULL) == 0);
    CHECK(lam_ring_producer_attach(&model.producer, &model.ring, NULL, NULL) == 0);
    model.bytes_max = (uint32_t)lam_ring_payload_bytes_max(&model.ring);
    for (model.step = 0; model.step < steps; model.step++) {
        step();
        if (model.step % 1000 == 999)
            succeed();
        if (model.step % 512 == 0)
            check_counts();
    }
    CHECK(model.published > steps / 100);
    for (int i = 0; i < CONSUMERS; i++)
        if (model.readers[i].joined)
            leave(&model.readers[i]);
    if (model.lossy_joined)
        lam_ring_consumer_detach(&model.lossy);
    lost_events += model.lossy_lost;
    lam_ring_producer_detach(&model.producer);
    CHECK(lam_ring_destroy(&model.ring) == 0);
}

int main(void)
{
    static const uint64_t starts[] = {
        0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};
    static const uint64_t depths[] = {2, 4, 8, 16, 64, 128, 1024};
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t steps = 20000 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));

    for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
        for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
            run(depths[d], 32, starts[s], steps / 2);
            run(depths[d], 64, starts[s], steps);
            run(depths[d], 256, starts[s], steps / 2);
        }
    }
    (void)printf("every consumer saw what was published, at each depth and start; a lossy one was "
                 "told of each of %llu events that it missed\n",
        (unsigned long long)lost_events);
    return lost_events > 1000 ? 0 : 1;
}
