/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer dies: as it joins, reads, releases, sleeps, leaves, comes again after an eviction, or
 * takes a dead one's place. The producer goes on, another consumer misses nothing, and who resumes
 * by the name of the dead continues where it stopped, or is told exactly what was overwritten
 * meanwhile.
 */
#include "crash.h"

#include "lamina/ring/lossy.h"
#include "lamina/ring/stat.h"

#define PEER_EVENTS 60
#define NAME        "victim"

static struct crash_reader witness;
static struct lam_ring_producer producer;
static uint64_t published;

static struct lam_ring_consumer_options options_of(enum lam_ring_start start)
{
    static const char *const leaders[] = {"witness"};
    struct lam_ring_consumer_options options = {.name = crash_is(CRASH_UNNAMED) ? NULL : NAME,
        .start = crash_is(CRASH_UNNAMED | CRASH_LOSSY) ? LAM_RING_OLDEST : start,
        .wait = crash_is(CRASH_SLEEPY) ? LAM_WAIT_FUTEX : LAM_WAIT_HYBRID};

    if (crash_is(CRASH_LOSSY))
        options.policy = LAM_RING_LOSSY;
    if (crash_is(CRASH_IMPATIENT)) {
        options.policy = LAM_RING_GATE_THEN_EVICT;
        options.patience_ns = LAM_NS_PER_MS;
    }
    if (crash_at("join.signed")) {
        options.after = leaders;
        options.after_count = 1;
    }
    return options;
}

static void note_place(uint64_t number)
{
    lam_store_release(&crash.board->releasing, number);
    lam_store_release(&crash.board->released, number);
    lam_store_release(&crash.board->has_place, 1);
}

/* Where a predecessor stopped: @number is where its heir goes on, having lost @lost. */
static void check_place(uint64_t number, uint64_t lost)
{
    uint64_t from = number - lost;
    uint64_t released = lam_load_acquire(&crash.board->released);

    if (from != released && from != lam_load_acquire(&crash.board->releasing))
        (void)fprintf(stderr, "goes on at %llu, lost %llu, but %llu were released\n",
            (unsigned long long)number, (unsigned long long)lost, (unsigned long long)released);
    TEST_CHECK(from == released || from == lam_load_acquire(&crash.board->releasing));
}

/* Evicted while it held an event: told so, and how many it missed. */
static void come_again(struct crash_reader *reader)
{
    uint64_t lost = 0;

    TEST_OK(
        lam_ring_consumer_readmit(&reader->end, LAM_RING_OLDEST, &lost, &crash_error), crash_error);
    reader->next += lost;
    note_place(reader->next);
}

static void read_one(struct crash_reader *reader)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_peek_until(&reader->end, crash_soon(), &event);

    if (rc == -ESTALE) {
        come_again(reader);
        return;
    }
    TEST_CHECK(rc == 0);
    if (reader->next == UINT64_MAX) {
        memcpy(&reader->next, event.payload, 8);
        note_place(reader->next);
    }
    if (crash_is(CRASH_IMPATIENT) && reader->next % 20 == 10)
        crash_nap_us(20000); /* too slow */
    else if (crash_is(CRASH_FULL))
        crash_nap_us(200);
    if (!crash_is(CRASH_IMPATIENT))
        crash_check_event(&event, reader->next);
    lam_store_release(&crash.board->releasing, reader->next + 1);
    rc = lam_ring_consumer_release(&reader->end);
    reader->next++;
    if (rc == -ESTALE)
        come_again(reader);
    else
        lam_store_release(&crash.board->released, reader->next);
}

static void read_lossy(struct crash_reader *reader)
{
    struct lam_event event = {.payload = NULL};
    uint64_t buffer[1024 / 8];
    uint64_t lost = 0;
    int rc = lam_ring_consumer_read_until(
        &reader->end, crash_soon(), buffer, sizeof(buffer), &event, &lost);

    if (rc == -EOVERFLOW) {
        if (reader->next != UINT64_MAX)
            reader->next += lost;
        return;
    }
    TEST_CHECK(rc == 0);
    if (reader->next == UINT64_MAX)
        memcpy(&reader->next, event.payload, 8);
    crash_check_event(&event, reader->next++);
}

static void peer(void)
{
    struct lam_ring_consumer_options options =
        options_of(crash_is(CRASH_PREDECESSOR) ? LAM_RING_RESUME : LAM_RING_OLDEST);
    struct crash_reader reader = {.next = UINT64_MAX};
    uint64_t lost = 0;

    TEST_OK(
        lam_ring_consumer_attach(&reader.end, crash_attach(), &options, &crash_error), crash_error);
    if (lam_ring_consumer_resumed(&reader.end, &lost)) {
        /* Its first event would tell, but it may die before that: so its own count does. */
        reader.next = lam_load_relaxed(&crash.board->released) + lost;
        note_place(reader.next);
    }
    lam_store_release(&crash.board->ready, 1);
    for (unsigned i = 0; i < (crash_is(CRASH_LEAVES) ? 9 : PEER_EVENTS); i++) {
        if (crash_is(CRASH_LOSSY))
            read_lossy(&reader);
        else
            read_one(&reader);
    }
    if (crash_is(CRASH_LEADS)) /* who leaves in order holds its followers no longer */
        lam_store_release(&crash.board->releasing, UINT64_MAX - 1);
    lam_ring_consumer_detach(&reader.end);
}

/* Reads a little, and dies with an event in its hands. */
static void predecessor(void)
{
    struct lam_ring_consumer_options options = options_of(LAM_RING_OLDEST);
    struct crash_reader reader = {.next = UINT64_MAX};
    struct lam_event event = {.payload = NULL};

    TEST_OK(
        lam_ring_consumer_attach(&reader.end, crash_attach(), &options, &crash_error), crash_error);
    for (uint64_t i = 0; i < 2 + (crash.random >> 30) % 30; i++)
        read_one(&reader);
    TEST_CHECK(lam_ring_consumer_peek_until(&reader.end, crash_soon(), &event) == 0);
    crash_die();
}

/* Goes after the peer, and after who comes by its name when it is dead. */
static void follower(void)
{
    static const char *const leaders[] = {NAME};
    struct lam_ring_consumer_options options = {.name = "follower",
        .start = LAM_RING_OLDEST,
        .wait = LAM_WAIT_FUTEX,
        .after = leaders,
        .after_count = 1,
        .after_deadline_ns = crash_soon()};
    struct crash_reader reader = {.next = UINT64_MAX};
    uint64_t end_ns = crash_soon();

    TEST_OK(
        lam_ring_consumer_attach(&reader.end, crash_attach(), &options, &crash_error), crash_error);
    lam_store_release(&crash.board->ready, 2);
    while (lam_load_acquire(&crash.board->total) == 0 ||
           lam_load_acquire(&crash.board->total) != reader.next) {
        int rc = crash_read(&reader, lam_deadline_after_ns(2 * LAM_NS_PER_MS));

        TEST_CHECK(lam_clock_now_ns() < end_ns);
        TEST_CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EOWNERDEAD || rc == -EPIPE);
        /* Nothing is ours that the leader has not released. */
        TEST_CHECK(
            reader.next == UINT64_MAX || reader.next <= lam_load_acquire(&crash.board->releasing));
    }
    lam_ring_consumer_detach(&reader.end);
}

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
    struct lam_ring_consumer_options options = {.name = NAME, .start = LAM_RING_RESUME};
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
        check_place(number, lost);
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
        TEST_CHECK(publish_until_end(crash_start_other(predecessor)) == 128 + SIGKILL);
        if ((crash.random >> 40) % 2 == 0)
            publish_laps(NULL); /* its place is passed: some is lost, and counted */
    }
    victim = crash_start_peer(peer);
    if (crash_is(CRASH_LEADS)) {
        await_ready(1);
        beside = crash_start_other(follower);
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
