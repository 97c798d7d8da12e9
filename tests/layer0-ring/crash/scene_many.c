/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of many producers dies, after one that left a hole and a consumer that the ring waits for.
 * Another producer and one that comes afterwards publish on; a consumer, which may not write the
 * data in every second round, sees all that each had published, in order, and the holes passed
 * over.
 */
#include "crash.h"

#include "lamina/ring/many.h"
#include "lamina/ring/stat.h"

#define PEER_EVENTS  150
#define FRESH_EVENTS 60

enum { PEER, SURVIVOR, FRESH, HOLE, PRODUCERS };

static struct lam_ring reader_ring;
static struct lam_ring_consumer reader;
static struct lam_ring_many_producer survivor;
static uint64_t seen[PRODUCERS];

/* Numbers say whose they are. */
static uint64_t number_of(uint64_t whose, uint64_t count)
{
    return whose << 32 | count;
}

static int publish(struct lam_ring_many_producer *producer, uint64_t number, uint64_t deadline_ns)
{
    uint32_t bytes = crash_event_bytes(number);
    void *payload = NULL;
    int rc = 0;

    if (number % 9 == 0) {
        rc = lam_ring_many_claim_until(producer, bytes, deadline_ns, &payload);
        if (rc == 0) {
            memset(payload, 0xff, bytes);
            lam_ring_many_abort(producer);
        }
    }
    if (rc == 0)
        rc = lam_ring_many_claim_until(
            producer, number % 5 == 2 ? bytes + 90 : bytes, deadline_ns, &payload);
    if (rc != 0)
        return rc;
    crash_fill(payload, number, producer->start);
    lam_ring_many_commit(producer, bytes, (uint16_t)(number % 1000), 0);
    return 0;
}

static void publish_as(uint64_t whose, uint64_t event_count)
{
    struct lam_ring_many_options options = {
        .wait = crash_is(CRASH_FULL) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};
    struct lam_ring_many_producer producer;

    TEST_OK(lam_ring_many_attach(&producer, crash_attach(), &options, &crash_error), crash_error);
    if (whose == PEER)
        lam_store_release(&crash.board->ready, 1);
    for (uint64_t count = 0; count < event_count; count++) {
        TEST_CHECK(publish(&producer, number_of(whose, count), crash_soon()) == 0);
        if (whose == PEER)
            lam_store_release(&crash.board->committed, count + 1);
        if (crash_is(CRASH_SLEEPY) && count % 3 == 0)
            crash_nap_us(100);
    }
    lam_ring_many_close(&producer);
    lam_ring_many_detach(&producer);
}

static void peer(void)
{
    publish_as(PEER, PEER_EVENTS);
}

static void fresh(void)
{
    publish_as(FRESH, FRESH_EVENTS);
}

static void hole(void)
{
    publish_as(HOLE, 1);
}

static void lost_consumer(void)
{
    struct lam_ring_consumer consumer;

    TEST_OK(lam_ring_consumer_attach(&consumer, crash_attach(), NULL, &crash_error), crash_error);
    crash_die();
}

/* Take what is there. Returns the answer when there was no more. */
static int consume(void)
{
    struct lam_event event = {.payload = NULL};
    uint64_t until_ns = lam_deadline_after_ns(LAM_NS_PER_MS);
    int rc;

    while ((rc = lam_ring_consumer_peek_until(&reader, until_ns, &event)) == 0) {
        uint64_t number;

        memcpy(&number, event.payload, 8);
        TEST_CHECK(number >> 32 < PRODUCERS);
        TEST_CHECK((uint32_t)number == seen[number >> 32]);
        seen[number >> 32]++;
        crash_check_event(&event, number);
        TEST_CHECK(lam_ring_consumer_release(&reader) == 0);
    }
    TEST_CHECK(rc == -ETIMEDOUT || rc == -EOWNERDEAD || rc == -EPIPE);
    if (crash_is(CRASH_FULL))
        crash_nap_us(500);
    return rc;
}

/* Publish some as the survivor, where there is room. */
static void publish_some(uint64_t *published)
{
    for (int i = 0; i < 5; i++) {
        int rc = publish(&survivor, number_of(SURVIVOR, *published), 0);

        if (rc == -ETIMEDOUT)
            break;
        TEST_OK(rc, crash_error);
        *published += 1;
    }
}

/* Consume until @child has ended, and publish beside it. Returns how. */
static int consume_until_end(pid_t child, uint64_t *published)
{
    uint64_t end_ns = crash_soon();
    int how;

    while (!crash_has_ended(child, &how)) {
        TEST_CHECK(lam_clock_now_ns() < end_ns);
        if (published != NULL)
            publish_some(published);
        (void)consume();
    }
    return how;
}

static void place_ends(void)
{
    struct lam_ring_attach_options read_only = {
        .name = crash.name, .directory = crash.directory, .access = LAM_ACCESS_READ};
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST,
        .wait = crash_is(CRASH_SLEEPY) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};
    /* One that may write would repair what the peer is to repair. */
    int may_write = !crash_is(CRASH_ALONE) && (crash.random >> 5) % 2 == 0;

    memset(seen, 0, sizeof(seen));
    TEST_OK(lam_ring_attach(&reader_ring, &read_only, &crash_error), crash_error);
    TEST_OK(lam_ring_consumer_attach(
                &reader, may_write ? &crash_ring : &reader_ring, &options, &crash_error),
        crash_error);
    TEST_CHECK(test_wait(crash_start_armed(hole, "claim.tail_moved", 1)) == 128 + SIGKILL);
    TEST_CHECK(test_wait(crash_start_other(lost_consumer)) == 128 + SIGKILL);
}

static void check_the_peers(int how)
{
    uint64_t committed = lam_load_acquire(&crash.board->committed);

    TEST_CHECK(seen[PEER] == committed || seen[PEER] == committed + 1);
    if (how == 0 || crash_starts_with("claim.") || crash_starts_with("write.") ||
        crash_at("commit.begun") || crash_at("commit.shape_stored"))
        TEST_CHECK(seen[PEER] == committed);
    if (how != 0 && crash_at("commit.stamp_stored"))
        TEST_CHECK(seen[PEER] == committed + 1);
}

void crash_scene_many(void)
{
    uint64_t published = 0, sum = 0;
    uint64_t end_ns = crash_soon();
    struct lam_ring_stat stat;
    int how;

    crash_make_ring(LAM_RING_MANY_PRODUCERS);
    place_ends();
    if (!crash_is(CRASH_ALONE))
        TEST_OK(lam_ring_many_attach(&survivor, &crash_ring, NULL, &crash_error), crash_error);
    how = consume_until_end(crash_start_peer(peer), crash_is(CRASH_ALONE) ? NULL : &published);
    crash_check_end(how);
    if (crash_is(CRASH_ALONE))
        TEST_OK(lam_ring_many_attach(&survivor, &crash_ring, NULL, &crash_error), crash_error);
    TEST_CHECK(consume_until_end(crash_start_other(fresh), &published) == 0);
    lam_ring_many_close(&survivor);
    lam_ring_many_detach(&survivor);
    while (consume() != -EPIPE)
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    check_the_peers(how);
    TEST_CHECK(seen[SURVIVOR] == published && seen[FRESH] == FRESH_EVENTS && seen[HOLE] == 0);
    for (int i = 0; i < PRODUCERS; i++)
        sum += seen[i];
    TEST_CHECK(lam_ring_stat_read(&crash_ring, &stat) == 0);
    TEST_CHECK(stat.state == LAM_RING_CLOSED && stat.events == sum && stat.producer_count == 0);
    lam_ring_consumer_detach(&reader);
    lam_ring_detach(&reader_ring);
    crash_destroy_ring();
}
