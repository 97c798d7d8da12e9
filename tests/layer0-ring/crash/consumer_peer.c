/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumers of scene_consumer.c that are processes of their own: the peer that dies, who died
 * in its place before, who goes after it. Where they stand is on the board.
 */
#include "consumer.h"

#include "lamina/ring/lossy.h"

#define PEER_EVENTS 60

static struct lam_ring_consumer_options options_of(enum lam_ring_start start)
{
    static const char *const leaders[] = {"witness"};
    struct lam_ring_consumer_options options = {
        .name = crash_is(CRASH_UNNAMED) ? NULL : CRASH_CONSUMER_NAME,
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

/*
 * An heir goes on where the dead one stood. Of one that was evicted the producer remembers where it
 * stood just before: what it released meanwhile its heir counts among the lost.
 */
void crash_check_place(uint64_t number, uint64_t lost)
{
    uint64_t from = number - lost;
    uint64_t released = lam_load_acquire(&crash.board->released);
    int is_there = from == released || from == lam_load_acquire(&crash.board->releasing) ||
                   (crash_is(CRASH_IMPATIENT) && from < released);

    if (!is_there)
        (void)fprintf(stderr, "goes on at %llu, lost %llu, but %llu were released\n",
            (unsigned long long)number, (unsigned long long)lost, (unsigned long long)released);
    TEST_CHECK(is_there);
}

/*
 * Evicted, often while it held an event: told so, and how many it missed. Before its first event it
 * cannot say which one comes next.
 */
static void come_again(struct crash_reader *reader)
{
    uint64_t lost = 0;

    TEST_OK(
        lam_ring_consumer_readmit(&reader->end, LAM_RING_OLDEST, &lost, &crash_error), crash_error);
    if (reader->next == UINT64_MAX)
        return;
    reader->next += lost;
    note_place(reader->next);
}

/*
 * Who may be evicted knows its first number when the event is released: before, what it has read
 * may be of another one, written over it.
 */
static void release_one(struct crash_reader *reader, int is_first)
{
    int is_guess = is_first && crash_is(CRASH_IMPATIENT);
    int rc;

    if (!is_guess)
        lam_store_release(&crash.board->releasing, reader->next + 1);
    rc = lam_ring_consumer_release(&reader->end);
    if (rc == -ESTALE) {
        reader->next = is_guess ? UINT64_MAX : reader->next + 1;
        come_again(reader);
        return;
    }
    reader->next++;
    if (is_guess)
        note_place(reader->next);
    else
        lam_store_release(&crash.board->released, reader->next);
}

static void read_one(struct crash_reader *reader)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_peek_until(&reader->end, crash_soon(), &event);
    int is_first;

    if (rc == -ESTALE) {
        come_again(reader);
        return;
    }
    TEST_CHECK(rc == 0);
    is_first = reader->next == UINT64_MAX;
    if (is_first)
        memcpy(&reader->next, event.payload, 8);
    if (is_first && !crash_is(CRASH_IMPATIENT))
        note_place(reader->next);
    if (crash_is(CRASH_IMPATIENT) && reader->next % 20 == 10)
        crash_nap_us(20000); /* too slow */
    else if (crash_is(CRASH_FULL))
        crash_nap_us(200);
    if (!crash_is(CRASH_IMPATIENT))
        crash_check_event(&event, reader->next);
    release_one(reader, is_first);
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

void crash_consumer_peer(void)
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
void crash_consumer_predecessor(void)
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
void crash_consumer_follower(void)
{
    static const char *const leaders[] = {CRASH_CONSUMER_NAME};
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
