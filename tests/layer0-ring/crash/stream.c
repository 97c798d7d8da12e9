/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events whose every byte follows from their number and their place. Payloads are what could pass
 * for something else where old bytes show: stamps of cells nearby, complements, all ones, zeros,
 * sequences that count up, numbers at random.
 */
#include "crash.h"

static uint64_t draw(uint64_t number, uint64_t salt)
{
    uint64_t state = number * 1000003 + salt;

    return test_random(&state);
}

uint32_t crash_event_bytes(uint64_t number)
{
    uint64_t value = draw(number, 1);

    return 8 + (uint32_t)((value >> 8) % (value % 4 == 0 ? 500 : 41));
}

static uint64_t word_of(uint64_t number, uint64_t sequence, uint32_t offset)
{
    uint64_t value = draw(number, 100 + offset);

    switch (draw(number, 2) % 6) {
    case 0:
        return sequence + value % (UINT64_C(4) * CRASH_DEPTH); /* a stamp, now or laps later */
    case 1:
        return UINT64_MAX;
    case 2:
        return 0;
    case 3:
        return ~(sequence + value % CRASH_DEPTH);
    case 4:
        return sequence + 1 + offset / 64; /* of the very cells that it lies in */
    default:
        return value;
    }
}

void crash_fill(void *payload, uint64_t number, uint64_t sequence)
{
    uint32_t bytes = crash_event_bytes(number);

    memcpy(payload, &number, 8);
    LAM_CRASH_POINT("write.begun");
    for (uint32_t offset = 8; offset < bytes; offset += 8) {
        uint64_t word = word_of(number, sequence, offset);

        memcpy((char *)payload + offset, &word, bytes - offset < 8 ? bytes - offset : 8);
        LAM_CRASH_POINT("write.half");
    }
    LAM_CRASH_POINT("write.done");
}

void crash_check_event(const struct lam_event *event, uint64_t number)
{
    uint32_t bytes = crash_event_bytes(number);
    uint64_t word;

    TEST_CHECK(event->payload_bytes == bytes);
    TEST_CHECK(event->kind == number % 1000 && event->flags == 0);
    memcpy(&word, event->payload, 8);
    TEST_CHECK(word == number);
    for (uint32_t offset = 8; offset < bytes; offset += 8) {
        word = word_of(number, event->sequence, offset);
        TEST_CHECK(memcmp((const char *)event->payload + offset, &word,
                       bytes - offset < 8 ? bytes - offset : 8) == 0);
    }
}

static uint16_t kind_of(uint64_t number)
{
    return (uint16_t)(number % 1000);
}

/* A claim that is given back, full of what it may not leave. */
static int publish_nothing(
    struct lam_ring_producer *producer, uint64_t number, uint64_t deadline_ns)
{
    uint32_t bytes = crash_event_bytes(number) + 200;
    void *payload = NULL;
    int rc = lam_ring_producer_claim_until(producer, bytes, deadline_ns, &payload);

    if (rc != 0)
        return rc;
    for (uint32_t offset = 0; offset + 8 <= bytes; offset += 8) {
        uint64_t word = producer->next + 1 + offset / 64;

        memcpy((char *)payload + offset, &word, 8);
    }
    lam_ring_producer_abort(producer);
    return 0;
}

static int publish_one(struct lam_ring_producer *producer, uint64_t number, uint64_t deadline_ns)
{
    uint32_t bytes = crash_event_bytes(number);
    void *payload = NULL;
    int rc = lam_ring_producer_claim_until(
        producer, draw(number, 3) % 3 == 0 ? bytes + 130 : bytes, deadline_ns, &payload);

    if (rc != 0)
        return rc;
    crash_fill(payload, number, producer->next);
    lam_ring_producer_commit(producer, bytes, kind_of(number), 0);
    return 1;
}

/* As many as fit half the ring, up to five; sometimes more cells than they need. */
static int publish_batch(struct lam_ring_producer *producer, uint64_t number, uint64_t deadline_ns)
{
    struct lam_ring_batch batch;
    uint64_t cell_count = 0;
    int count = 0;
    int rc;

    while (count < 5) {
        uint64_t more =
            lam_ring_event_cells(producer->ring, crash_event_bytes(number + (uint64_t)count));

        if (cell_count + more > CRASH_DEPTH / 2)
            break;
        cell_count += more;
        count++;
    }
    rc = lam_ring_producer_claim_batch_until(
        producer, cell_count + draw(number, 4) % 3, deadline_ns, &batch);
    if (rc != 0)
        return rc;
    lam_store_relaxed(&crash.board->begun, number + (uint64_t)count);
    for (int i = 0; i < count; i++) {
        uint64_t at = number + (uint64_t)i;
        uint64_t sequence = batch.staged;
        void *payload = NULL;

        TEST_CHECK(
            lam_ring_batch_stage(&batch, crash_event_bytes(at), kind_of(at), 0, &payload) == 1);
        crash_fill(payload, at, sequence);
    }
    lam_ring_batch_commit(&batch);
    return count;
}

int crash_publish(struct lam_ring_producer *producer, uint64_t number, uint64_t deadline_ns)
{
    uint64_t way = draw(number, 5) % 8;
    int rc = 0;

    lam_store_relaxed(&crash.board->begun, number + 1);
    if (way == 0)
        rc = publish_nothing(producer, number, deadline_ns);
    if (rc == 0)
        rc = way < 3 ? publish_batch(producer, number, deadline_ns)
                     : publish_one(producer, number, deadline_ns);
    if (rc > 0)
        lam_store_release(&crash.board->committed, number + (uint64_t)rc);
    return rc == -ETIMEDOUT ? 0 : rc;
}

static int take(struct crash_reader *reader, const struct lam_event *event)
{
    if (reader->next == UINT64_MAX)
        memcpy(&reader->next, event->payload, 8);
    crash_check_event(event, reader->next);
    reader->next++;
    return lam_ring_consumer_release(&reader->end);
}

int crash_read(struct crash_reader *reader, uint64_t deadline_ns)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_peek_until(&reader->end, deadline_ns, &event);

    return rc == 0 ? take(reader, &event) : rc;
}

int crash_read_all(struct crash_reader *reader)
{
    struct lam_event event = {.payload = NULL};
    int rc;

    while ((rc = lam_ring_consumer_try_peek(&reader->end, &event)) == 1)
        TEST_CHECK(take(reader, &event) == 0);
    return rc;
}

void crash_read_beside(void)
{
    struct lam_ring_consumer_options options = {.name = "beside", .start = LAM_RING_OLDEST};
    struct crash_reader reader = {.next = UINT64_MAX};
    uint64_t end_ns = crash_soon();
    uint64_t total;

    TEST_OK(
        lam_ring_consumer_attach(&reader.end, crash_attach(), &options, &crash_error), crash_error);
    lam_store_release(&crash.board->ready, 1);
    while ((total = lam_load_acquire(&crash.board->total)) == 0 || reader.next != total) {
        int rc = crash_read(&reader, lam_deadline_after_ns(2 * LAM_NS_PER_MS));

        TEST_CHECK(lam_clock_now_ns() < end_ns);
        TEST_CHECK(
            rc == 0 || rc == -ETIMEDOUT || rc == -EOWNERDEAD || rc == -EPIPE || rc == -ECANCELED);
        if (rc != 0)
            crash_nap_us(100);
    }
    lam_ring_consumer_detach(&reader.end);
}
