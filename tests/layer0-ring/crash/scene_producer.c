/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer dies. Two consumers, here and in a process beside, see all that it had published
 * and nothing of what it had not; its successor goes on over three laps. Who was evicted, or found
 * dead, by either of the two is told exactly what it lost.
 */
#include "crash.h"

#include "lamina/ring/required.h"
#include "lamina/ring/stat.h"

#define PEER_EVENTS      120
#define SUCCESSOR_EVENTS 60
#define LOST_NAME        "lost"

static struct crash_reader witness, slow;
static const char *const lost_names[] = {LOST_NAME};

static struct lam_ring_producer_options options_of(void)
{
    return (struct lam_ring_producer_options){
        .wait = crash_is(CRASH_FULL) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};
}

static void require(struct lam_ring_producer *producer, struct lam_ring_required *required)
{
    struct lam_ring_required_options options = {.names = lost_names,
        .count = 1,
        .action = LAM_RING_FAIL_EVICT,
        .check_ns = 1,
        .grace_ns = LAM_NS_PER_MS};

    TEST_OK(lam_ring_producer_require(producer, required, &options, &crash_error), crash_error);
}

static void peer(void)
{
    struct lam_ring_producer_options options = options_of();
    uint64_t number = lam_load_relaxed(&crash.board->committed);
    uint64_t end = number + PEER_EVENTS;
    struct lam_ring_producer producer;
    struct lam_ring_required required;

    TEST_OK(
        lam_ring_producer_attach(&producer, crash_attach(), &options, &crash_error), crash_error);
    if (crash_is(CRASH_REQUIRED))
        require(&producer, &required);
    while (number < end) {
        int rc = crash_publish(&producer, number, crash_soon());

        TEST_CHECK(rc > 0);
        number += (uint64_t)rc;
        if (crash_is(CRASH_SLEEPY) && number % 3 == 0)
            crash_nap_us(200);
    }
    if (crash_is(CRASH_FAILS))
        lam_ring_producer_fail(&producer, "for a test");
    else
        lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
}

/* Publishes, and dies with an event or a batch half written. */
static void predecessor(void)
{
    struct lam_ring_batch batch;
    uint64_t stop_at = 5 + (crash.random >> 30) % 40;
    struct lam_ring_producer producer;
    void *payload = NULL;

    TEST_OK(lam_ring_producer_attach(&producer, crash_attach(), NULL, &crash_error), crash_error);
    for (uint64_t number = 0; number < stop_at;) {
        int rc = crash_publish(&producer, number, crash_soon());

        TEST_CHECK(rc > 0);
        number += (uint64_t)rc;
    }
    TEST_CHECK(lam_ring_producer_claim_batch_until(&producer, 9, crash_soon(), &batch) == 0);
    for (int i = 0; i < 3; i++) {
        uint64_t stamp = batch.staged + 1;

        TEST_CHECK(lam_ring_batch_stage(&batch, 104, 7, 0, &payload) == 1);
        for (uint32_t offset = 0; offset < 104; offset += 8)
            memcpy((char *)payload + offset, &stamp, 8); /* the next cell's, were it published */
    }
    crash_die();
}

/* A consumer that is killed while it holds something; where it stood is on the board. */
static void lost_consumer(void)
{
    struct lam_ring_consumer_options options = {.name = LOST_NAME, .start = LAM_RING_OLDEST};
    struct lam_ring_consumer consumer;

    TEST_OK(
        lam_ring_consumer_attach(&consumer, crash_attach(), &options, &crash_error), crash_error);
    crash_die();
}

/* Read until @child has ended. Returns how. */
static int read_until_end(pid_t child)
{
    uint64_t end_ns = crash_soon();
    int how;

    while (!crash_has_ended(child, &how)) {
        uint64_t nap_ns = lam_deadline_after_ns(LAM_NS_PER_MS);
        int rc = crash_read(&witness, nap_ns);

        TEST_CHECK(
            rc == 0 || rc == -ETIMEDOUT || rc == -EOWNERDEAD || rc == -EPIPE || rc == -ECANCELED);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
        if (crash_is(CRASH_FULL) && witness.next % 16 == 0)
            crash_nap_us(300);
    }
    return how;
}

static int is_before_the_stamp(void)
{
    return crash_starts_with("claim.") || crash_starts_with("write.") ||
           crash_starts_with("batch.") || crash_starts_with("abort.") || crash_at("publish.cut") ||
           crash_at("publish.shape_stored");
}

/* All that somebody had published who ended without a word, or in order; the end of its stream. */
static void check_what_was_left(int in_order)
{
    uint64_t end_ns = crash_soon();
    int rc;

    do {
        rc = crash_read(&witness, lam_deadline_after_ns(LAM_NS_PER_MS));
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    } while (rc == 0 || (rc == -ETIMEDOUT && lam_ring_state_read(&crash_ring) != LAM_RING_NEW));
    if (in_order)
        TEST_CHECK(rc == (crash_is(CRASH_FAILS) ? -ECANCELED : -EPIPE));
    else if (lam_ring_state_read(&crash_ring) == LAM_RING_NEW)
        TEST_CHECK(rc == -ETIMEDOUT && witness.next == 0);
    else
        TEST_CHECK(rc == -EOWNERDEAD);
}

static void check_what_the_peer_left(int how)
{
    uint64_t committed = lam_load_acquire(&crash.board->committed);
    uint64_t begun = lam_load_acquire(&crash.board->begun);

    check_what_was_left(how == 0 || crash_at("end.state_stored") || crash_starts_with("detach."));
    TEST_CHECK(witness.next == committed || witness.next == begun);
    if (how != 0 && is_before_the_stamp())
        TEST_CHECK(witness.next == committed);
    if (how != 0 && crash_at("publish.stamp_stored"))
        TEST_CHECK(witness.next == begun);
}

/* Publish @count events and read them here. Returns the number behind the last. */
static uint64_t go_on(struct lam_ring_producer *producer, uint64_t count)
{
    uint64_t number = witness.next;
    uint64_t end = number + count;
    uint64_t end_ns = crash_soon();

    while (number < end) {
        int rc = crash_publish(producer, number, lam_deadline_after_ns(LAM_NS_PER_MS));

        TEST_CHECK(rc >= 0 && lam_clock_now_ns() < end_ns);
        number += (uint64_t)rc;
        TEST_CHECK(crash_read_all(&witness) == 0);
    }
    TEST_CHECK(witness.next == number);
    return number;
}

/* The one who was too slow: told so, and how much it missed. */
static void readmit_slow(void)
{
    uint64_t lost = 0;

    TEST_CHECK(lam_ring_consumer_release(&slow.end) == -ESTALE);
    TEST_OK(
        lam_ring_consumer_readmit(&slow.end, LAM_RING_OLDEST, &lost, &crash_error), crash_error);
    slow.next += lost;
    TEST_CHECK(lost > 0 && crash_read_all(&slow) == 0 && slow.next == witness.next);
}

/* Another one by the name of the dead, which had released nothing. */
static void resume_lost(void)
{
    struct lam_ring_consumer_options options = {.name = LOST_NAME, .start = LAM_RING_RESUME};
    struct crash_reader heir = {.next = UINT64_MAX};
    uint64_t lost = 0;

    TEST_OK(lam_ring_consumer_attach(&heir.end, &crash_ring, &options, &crash_error), crash_error);
    TEST_CHECK(lam_ring_consumer_resumed(&heir.end, &lost) == 1 && lost > 0);
    heir.next = lost; /* it stood at the first event of all */
    TEST_CHECK(crash_read_all(&heir) == 0 && heir.next == witness.next);
    lam_ring_consumer_detach(&heir.end);
}

static void succeed(void)
{
    struct lam_ring_producer_options options = options_of();
    struct lam_ring_producer producer;
    struct lam_ring_stat stat;
    uint64_t total;

    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, &options, &crash_error), crash_error);
    total = go_on(&producer, SUCCESSOR_EVENTS);
    if (crash_is(CRASH_IMPATIENT))
        readmit_slow();
    if (crash_is(CRASH_DEAD_CONSUMER | CRASH_REQUIRED))
        resume_lost();
    lam_store_release(&crash.board->total, total);
    lam_ring_producer_close(&producer);
    TEST_CHECK(crash_read_all(&witness) == -EPIPE && witness.next == total);
    TEST_CHECK(lam_ring_stat_read(&crash_ring, &stat) == 0);
    TEST_CHECK(stat.state == LAM_RING_CLOSED && stat.events == total);
    lam_ring_producer_detach(&producer);
}

static void place_consumers(void)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST,
        .wait = crash_is(CRASH_SLEEPY) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};
    struct lam_ring_consumer_options impatient = {
        .start = LAM_RING_OLDEST, .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_MS};

    TEST_OK(
        lam_ring_consumer_attach(&witness.end, &crash_ring, &options, &crash_error), crash_error);
    if (crash_is(CRASH_IMPATIENT))
        TEST_OK(lam_ring_consumer_attach(&slow.end, &crash_ring, &impatient, &crash_error),
            crash_error);
    if (crash_is(CRASH_DEAD_CONSUMER | CRASH_REQUIRED)) {
        pid_t lost = crash_start_other(lost_consumer);

        TEST_CHECK(test_wait(lost) == 128 + SIGKILL);
    }
}

void crash_scene_producer(void)
{
    pid_t beside;
    int how;

    crash_make_ring(LAM_RING_ONE_PRODUCER);
    place_consumers();
    beside = crash_start_other(crash_read_beside);
    while (lam_load_acquire(&crash.board->ready) == 0)
        crash_nap_us(50);
    if (crash_is(CRASH_PREDECESSOR)) {
        TEST_CHECK(read_until_end(crash_start_other(predecessor)) == 128 + SIGKILL);
        check_what_was_left(0);
        TEST_CHECK(witness.next == lam_load_acquire(&crash.board->committed));
    }
    how = read_until_end(crash_start_peer(peer));
    crash_check_end(how);
    check_what_the_peer_left(how);
    succeed();
    TEST_CHECK(test_wait(beside) == 0);
    lam_ring_consumer_detach(&witness.end);
    if (crash_is(CRASH_IMPATIENT))
        lam_ring_consumer_detach(&slow.end);
    crash_destroy_ring();
}
