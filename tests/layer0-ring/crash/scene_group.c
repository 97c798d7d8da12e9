/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member of a group dies. Each event is finished once: by the member that died, or by another.
 * What it had taken and not begun to release comes again, at another; what it had released does
 * not; what it was releasing may.
 */
#include "crash.h"

#include "lamina/ring/group.h"
#include "lamina/ring/stat.h"

#define PEER_EVENTS 60
#define GROUP       "group"

/* What the peer did with an event; what others did is a count. */
enum { UNTOUCHED, TAKEN, RELEASING, RELEASED };

static struct lam_ring_member here;
static struct lam_ring_producer producer;
static struct crash_reader witness;
static uint64_t published;

static void join(struct lam_ring_member *member, struct lam_ring *ring)
{
    struct lam_ring_member_options options = {.group = GROUP,
        .start = LAM_RING_OLDEST,
        .events_max = 1 + (uint32_t)(crash.random >> 50) % 4,
        .wait = crash_is(CRASH_SLEEPY) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};

    TEST_OK(lam_ring_member_attach(member, ring, &options, &crash_error), crash_error);
}

static uint64_t number_of(const struct lam_event *event)
{
    uint64_t number;

    TEST_CHECK(event->payload != NULL);
    memcpy(&number, event->payload, 8);
    crash_check_event(event, number);
    TEST_CHECK(number < CRASH_EVENTS_MAX);
    return number;
}

/* The peer's, which may hold several; each is noted before the next call. */
static void peer(void)
{
    struct lam_ring_member member;
    /* A founder is alone with the ring, and there is nothing. */
    unsigned event_count = crash_is(CRASH_FOUNDS) ? 0 : crash_is(CRASH_LEAVES) ? 7 : PEER_EVENTS;
    uint64_t held[4];
    unsigned count = 0;

    join(&member, crash_attach());
    lam_store_release(&crash.board->ready, 1);
    for (unsigned i = 0; i < event_count; i++) {
        struct lam_event event = {.payload = NULL};

        TEST_CHECK(lam_ring_member_peek_until(&member, crash_soon(), &event) == 0);
        held[count++] = number_of(&event);
        lam_store_relaxed(&crash.board->by_peer[held[count - 1]], TAKEN);
        if (member.at != member.end && (crash.random >> (i % 40)) % 2 == 0)
            continue; /* release several at once */
        for (unsigned j = 0; j < count; j++)
            lam_store_relaxed(&crash.board->by_peer[held[j]], RELEASING);
        lam_ring_member_release(&member);
        for (unsigned j = 0; j < count; j++)
            lam_store_relaxed(&crash.board->by_peer[held[j]], RELEASED);
        count = 0;
    }
    lam_ring_member_detach(&member); /* with what it holds */
}

/* A member that dies with events in its hands. */
static void predecessor(void)
{
    struct lam_event event = {.payload = NULL};
    struct lam_ring_member member;

    join(&member, crash_attach());
    lam_store_release(&crash.board->ready, 1);
    TEST_CHECK(lam_ring_member_peek_until(&member, crash_soon(), &event) == 0);
    crash_die();
}

/* Finish one event. Returns 0 or -errno. */
static int finish_one(struct lam_ring_member *member, uint64_t deadline_ns)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_member_peek_until(member, deadline_ns, &event);

    if (rc != 0)
        return rc;
    (void)lam_add_acq_rel(&crash.board->by_others[number_of(&event)], 1);
    lam_ring_member_release(member);
    return 0;
}

static void other(void)
{
    struct lam_ring_member member;
    unsigned count = 0;
    int rc;

    join(&member, crash_attach());
    while ((rc = finish_one(&member, crash_soon())) == 0)
        /* So that the peer gets some, too; its share is small where cores are few. */
        crash_nap_us(++count > 1000 ? 2000 : (crash.random >> 12) % 2 * 30);
    TEST_CHECK(rc == -EPIPE);
    lam_ring_member_detach(&member);
}

static void publish_some(void)
{
    int rc = 0;

    if (published < CRASH_EVENTS_MAX - 100)
        rc = crash_publish(&producer, published, lam_deadline_after_ns(LAM_NS_PER_MS));
    TEST_CHECK(rc >= 0);
    published += (uint64_t)rc;
    TEST_CHECK(crash_read_all(&witness) == 0);
    crash_nap_us(crash_is(CRASH_SLEEPY) ? 200 : 10);
}

static int publish_until_end(pid_t child)
{
    uint64_t end_ns = crash_soon();
    int how;

    while (!crash_has_ended(child, &how)) {
        publish_some();
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
    return how;
}

static void check_events(void)
{
    for (uint64_t number = 0; number < published; number++) {
        uint32_t peers = lam_load_relaxed(&crash.board->by_peer[number]);
        uint32_t others = lam_load_relaxed(&crash.board->by_others[number]);

        if (peers == RELEASING)
            TEST_CHECK(others <= 1);
        else
            TEST_CHECK(others == (peers == RELEASED ? 0 : 1));
    }
}

static void place_ends(void)
{
    struct lam_ring_consumer_options options = {.name = "witness", .start = LAM_RING_OLDEST};

    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, NULL, &crash_error), crash_error);
    TEST_OK(
        lam_ring_consumer_attach(&witness.end, &crash_ring, &options, &crash_error), crash_error);
    witness.next = published = 0;
}

/* The group goes on to the end of the stream, and ends with its last member. */
static void finish(pid_t beside)
{
    uint64_t end = published + 60;
    uint64_t end_ns = crash_soon();
    struct lam_ring_stat stat;
    int rc;

    while (published < end) {
        publish_some();
        rc = finish_one(&here, 0);
        TEST_CHECK(rc == 0 || rc == -ETIMEDOUT);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
    lam_ring_producer_close(&producer);
    while ((rc = finish_one(&here, crash_soon())) == 0)
        continue;
    TEST_CHECK(rc == -EPIPE && test_wait(beside) == 0);
    lam_ring_member_detach(&here);
    TEST_CHECK(crash_read_all(&witness) == -EPIPE && witness.next == published);
    check_events();
    TEST_CHECK(lam_ring_stat_read(&crash_ring, &stat) == 0 && stat.events == published);
    lam_ring_consumer_detach(&witness.end);
    lam_ring_producer_detach(&producer);
    crash_destroy_ring();
}

static void await_ready(void)
{
    uint64_t end_ns = crash_soon();

    while (lam_load_acquire(&crash.board->ready) == 0) {
        crash_nap_us(50);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
}

/* The round's own member is the group's first, unless the peer is; another one is beside. */
void crash_scene_group(void)
{
    pid_t victim, beside = 0;

    crash_make_ring(LAM_RING_ONE_PRODUCER);
    place_ends();
    if (!crash_is(CRASH_FOUNDS))
        join(&here, &crash_ring);
    if (crash_is(CRASH_PREDECESSOR)) {
        pid_t dead = crash_start_other(predecessor);

        await_ready();
        TEST_CHECK(publish_until_end(dead) == 128 + SIGKILL);
    }
    if (!crash_is(CRASH_FOUNDS | CRASH_ALONE))
        beside = crash_start_other(other);
    victim = crash_start_peer(peer);
    if (crash_is(CRASH_FOUNDS)) {
        int how;

        while (!crash_has_ended(victim, &how))
            crash_nap_us(50);
        crash_check_end(how);
        join(&here, &crash_ring);
    } else {
        crash_check_end(publish_until_end(victim));
    }
    if (beside == 0)
        beside = crash_start_other(other);
    finish(beside);
}
