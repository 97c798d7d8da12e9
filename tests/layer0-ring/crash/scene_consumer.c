/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer dies: as it joins, reads, releases, sleeps, leaves, comes again after an eviction, or
 * takes a dead one's place. The producer goes on, another consumer misses nothing, and who resumes
 * by the name of the dead continues where it stopped, or is told exactly what was overwritten
 * meanwhile.
 */
#include "consumer.h"

#include "lamina/ring/stat.h"

static struct crash_reader witness;
static struct lam_ring_producer producer;
static uint64_t published;

/* Publish something, and read it here. */
static void publish_some(struct crash_reader *heir)
{
    int rc = crash_publish(&producer, published, lam_deadline_after_ns(LAM_NS_PER_MS));

    TEST_CHECK(rc >= 0);
    published += (uint64_t)rc;
    TEST_CHECK(crash_read_all(&witness) == 0);
    TEST_CHECK(heir == NULL || crash_read_all(heir) == 0);
    if (crash_is(CRASH_SLEEPY) && published % 3 == 0)
        crash_nap_us(200);
}

static int publish_until_end(pid_t child)
{
    uint64_t end_ns = crash_soon();
    int how;

    while (!crash_has_ended(child, &how)) {
        publish_some(NULL);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
    return how;
}

static void publish_laps(struct crash_reader *heir)
{
    uint64_t end = published + 60;
    uint64_t end_ns = crash_soon();

    while (published < end) {
        publish_some(heir);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
}

/* Another one by the name of the dead. */
static void resume(struct crash_reader *heir)
{
    struct lam_ring_consumer_options options = {
        .name = CRASH_CONSUMER_NAME, .start = LAM_RING_RESUME};
    uint64_t had_place = lam_load_acquire(&crash.board->has_place);
    uint64_t lost = 0;
    struct lam_event event = {.payload = NULL};
    uint64_t number;

    TEST_OK(lam_ring_consumer_attach(&heir->end, &crash_ring, &options, &crash_error), crash_error);
    heir->next = UINT64_MAX;
    TEST_CHECK(lam_ring_consumer_resumed(&heir->end, &lost) == 1 || !had_place);
    while (lam_ring_consumer_try_peek(&heir->end, &event) == 0)
        publish_some(NULL);
    TEST_CHECK(event.payload != NULL);
    memcpy(&number, event.payload, 8);
    crash_check_event(&event, number);
    /* Who died just after it was told of a loss was told: it is not told again. */
    if (had_place && !crash_at("join.told"))
        crash_check_place(number, lost);
    heir->next = number + 1;
    lam_store_release(&crash.board->releasing, UINT64_MAX - 1); /* a follower may go on */
    TEST_CHECK(lam_ring_consumer_release(&heir->end) == 0);
}

static void place_ends(void)
{
    struct lam_ring_consumer_options options = {.name = "witness", .start = LAM_RING_OLDEST};
    struct lam_ring_producer_options producing = {
        .wait = crash_is(CRASH_FULL) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};

    TEST_OK(
        lam_ring_producer_attach(&producer, &crash_ring, &producing, &crash_error), crash_error);
    TEST_OK(
        lam_ring_consumer_attach(&witness.end, &crash_ring, &options, &crash_error), crash_error);
    published = 0;
    publish_some(NULL);
}

static void await_ready(uint64_t ready)
{
    uint64_t end_ns = crash_soon();

    while (lam_load_acquire(&crash.board->ready) < ready) {
        crash_nap_us(50);
        TEST_CHECK(lam_clock_now_ns() < end_ns);
    }
}

/* Both readers come to the end, and nothing is left behind. */
static void finish(struct crash_reader *heir, pid_t beside)
{
    struct lam_ring_stat stat;

    publish_laps(heir);
    lam_store_release(&crash.board->total, published);
    lam_ring_producer_close(&producer);
    TEST_CHECK(crash_read_all(&witness) == -EPIPE && witness.next == published);
    TEST_CHECK(heir == NULL || (crash_read_all(heir) == -EPIPE && heir->next == published));
    TEST_CHECK(beside == 0 || test_wait(beside) == 0);
    TEST_CHECK(lam_ring_stat_read(&crash_ring, &stat) == 0);
    TEST_CHECK(stat.events == published && stat.state == LAM_RING_CLOSED && stat.expelled == 0);
    if (heir != NULL)
        lam_ring_consumer_detach(&heir->end);
    lam_ring_consumer_detach(&witness.end);
    lam_ring_producer_detach(&producer);
    crash_destroy_ring();
}

void crash_scene_consumer(void)
{
    int has_heir = !crash_is(CRASH_UNNAMED | CRASH_LOSSY);
    struct crash_reader heir;
    pid_t victim, beside = 0;

    crash_make_ring(LAM_RING_ONE_PRODUCER);
    place_ends();
    if (crash_is(CRASH_PREDECESSOR)) {
        TEST_CHECK(
            publish_until_end(crash_start_other(crash_consumer_predecessor)) == 128 + SIGKILL);
        if ((crash.random >> 40) % 2 == 0)
            publish_laps(NULL); /* its place is passed: some is lost, and counted */
    }
    victim = crash_start_peer(crash_consumer_peer);
    if (crash_is(CRASH_LEADS)) {
        await_ready(1);
        beside = crash_start_other(crash_consumer_follower);
        await_ready(2);
    }
    crash_check_end(publish_until_end(victim));
    /* Who goes after the dead holds the ring until it has an heir. */
    if (!crash_is(CRASH_LEADS) && (crash.random >> 41) % 2 == 0)
        publish_laps(NULL);
    if (has_heir)
        resume(&heir);
    finish(has_heir ? &heir : NULL, beside);
}
