/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a consumer that comes again by its name goes on where the one before stopped, however that
 * ended: what was not released comes again, nothing else does, and what was overwritten meanwhile
 * is counted to the last event. Method: consumers of one process, where each step can be placed;
 * children that are killed, where it cannot.
 */
#include "settle.h"

#include "one_ring.h"

TestSuite(resume, .timeout = 60);

static void resume_as(struct lam_ring_consumer *again, uint64_t lost, uint64_t first)
{
    uint64_t told = UINT64_MAX;

    cr_assert(eq(int, join(again, "a", LAM_RING_RESUME), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_consumer_resumed(again, &told), 1));
    cr_assert(eq(u64, told, lost));
    cr_assert(eq(u64, peek_one(again), first));
}

Test(resume, what_was_not_released_comes_again_and_nothing_else)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct lam_ring_consumer one, again;

        open_ring_at(DEPTH, starts[i]);
        cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
        for (int n = 0; n < 8; n++)
            cr_assert(eq(int, publish(), 1));
        cr_assert(eq(u64, take_one(&one), 0));
        cr_assert(eq(u64, take_one(&one), 1));
        for (uint64_t n = 2; n < 5; n++)
            cr_assert(eq(u64, peek_one(&one), n));
        lam_ring_consumer_detach(&one);
        resume_as(&again, 0, 2);
        for (uint64_t n = 3; n < 8; n++)
            cr_assert(eq(u64, peek_one(&again), n));
        cr_assert(eq(u64, peek_one(&again), UINT64_MAX));
        lam_ring_consumer_detach(&again);
        close_ring();
    }
}

/* Publish laps after laps; now and then an event of several cells. */
static void publish_past(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        void *payload = NULL;
        uint64_t bytes = i % 3 == 0 ? 150 : sizeof(published);

        if (lam_ring_producer_try_claim(&producer, bytes, &payload) != 1)
            break;
        memcpy(payload, &published, sizeof(published));
        published++;
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
}

Test(resume, what_was_overwritten_is_counted_to_the_last_event)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (uint64_t read = 0; read < 6; read++) {
            struct lam_ring_consumer one, again;
            uint64_t oldest;

            open_ring_at(DEPTH, starts[i]);
            cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
            publish_past(6);
            for (uint64_t n = 0; n < read; n++)
                cr_assert(eq(u64, take_one(&one), n));
            lam_ring_consumer_detach(&one);
            publish_past(100);
            oldest = producer.horizon_ordinal;
            cr_assert(lt(u64, 6, oldest));
            resume_as(&again, oldest - read, oldest);
            lam_ring_consumer_detach(&again);
            /* And again, from a place of which the count is known. */
            publish_past(100);
            resume_as(&again, producer.horizon_ordinal - oldest, producer.horizon_ordinal);
            lam_ring_consumer_detach(&again);
            close_ring();
        }
    }
}

Test(resume, an_evicted_one_goes_on_where_it_was_evicted)
{
    struct lam_ring_consumer_options options = {
        .name = "a", .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = 1};
    struct lam_ring_consumer one, again;
    struct lam_event event;

    open_ring_at(DEPTH, UINT64_MAX - 20);
    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    for (int n = 0; n < 5; n++)
        cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(u64, peek_one(&one), 1));
    while (published < 60)
        (void)publish();
    cr_assert(eq(int, lam_ring_consumer_release(&one), -ESTALE));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ESTALE));
    lam_ring_consumer_detach(&one);
    /* The refused release was none: event 1 is lost with the others. */
    resume_as(&again, producer.horizon_ordinal - 1, producer.horizon_ordinal);
    lam_ring_consumer_detach(&again);
    close_ring();
}

Test(resume, the_first_of_its_name_starts_at_the_oldest)
{
    struct lam_ring_consumer one;
    uint64_t lost = 9;

    open_ring_at(DEPTH, 0);
    for (int n = 0; n < 40; n++)
        cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, join(&one, "a", LAM_RING_RESUME), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_consumer_resumed(&one, &lost), 0));
    cr_assert(eq(u64, lost, 0));
    cr_assert(eq(u64, peek_one(&one), producer.horizon_ordinal));
    lam_ring_consumer_detach(&one);
    close_ring();
}

Test(resume, without_a_name_or_a_place_is_refused)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_RESUME};
    struct lam_ring_consumer one;

    open_ring_at(DEPTH, 0);
    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), -EINVAL));
    options.name = "a";
    options.policy = LAM_RING_LOSSY;
    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "resume") != NULL);
    close_ring();
}

Test(resume, a_live_one_is_not_resumed)
{
    struct lam_ring_consumer one, again;

    open_ring_at(DEPTH, 0);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), -EEXIST));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    lam_ring_consumer_detach(&one);
    close_ring();
}

Test(resume, another_name_takes_a_remembered_entry_last)
{
    struct lam_ring_consumer others[LAM_RING_CONSUMER_COUNT_MAX], one, again;
    uint64_t lost;
    char name[8];

    open_ring_at(DEPTH, 0);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    lam_ring_consumer_detach(&one);
    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX - 1; i++) {
        (void)snprintf(name, sizeof(name), "b%d", i);
        cr_assert(eq(int, join(&others[i], name, LAM_RING_HEAD), 0));
        cr_assert(ne(u32, others[i].index, one.index));
    }
    resume_as(&again, 0, UINT64_MAX);
    cr_assert(eq(u32, again.index, one.index));
    lam_ring_consumer_detach(&again);
    /* The table is full of others, but for what "a" left: now it goes. */
    cr_assert(eq(int, join(&others[63], "c", LAM_RING_HEAD), 0), "%s", error.text);
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), -EUSERS));
    lam_ring_consumer_detach(&others[0]);
    cr_assert(eq(int, join(&others[0], "d", LAM_RING_HEAD), 0));
    lam_ring_consumer_detach(&others[63]);
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_consumer_resumed(&again, &lost), 0), "no place is known any more");
    lam_ring_consumer_detach(&again);
    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX - 1; i++)
        lam_ring_consumer_detach(&others[i]);
    close_ring();
}

Test(resume, a_producers_successor_keeps_the_places)
{
    struct lam_ring_consumer one, again;

    open_ring_at(DEPTH, UINT64_MAX - 30);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    for (int n = 0; n < 6; n++)
        cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    lam_ring_consumer_detach(&one);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    resume_as(&again, 0, 1);
    lam_ring_consumer_detach(&again);
    for (int n = 0; n < 60; n++)
        cr_assert(eq(int, publish(), 1));
    resume_as(&again, producer.horizon_ordinal - 1, producer.horizon_ordinal);
    lam_ring_consumer_detach(&again);
    close_ring();
}

/*
 * The horizon raised over a consumer that had settled just before, by a producer that goes on or is
 * dead: what the consumer gates is still there, and the cells below the new horizon are, too.
 */
static void raise_over(uint64_t sequence)
{
    lam_store_relaxed(&ring.data_head->horizon, sequence);
    lam_store_relaxed(&ring.data_head->horizon_ordinal, sequence - ring.first_sequence);
}

Test(resume, a_place_that_the_horizon_was_raised_over_is_kept)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct lam_ring_consumer one, again;

        open_ring_at(DEPTH, starts[i]);
        cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
        for (int n = 0; n < 8; n++)
            cr_assert(eq(int, publish(), 1));
        cr_assert(eq(u64, take_one(&one), 0));
        raise_over(test_start_from(starts[i]) + 5);
        lam_lock_drop(&one.lock); /* it died */
        resume_as(&again, 0, 1);
        lam_lock_drop(&again.lock); /* so did its heir */
        resume_as(&one, 0, 1);
        for (uint64_t n = 2; n < 8; n++)
            cr_assert(eq(u64, peek_one(&one), n));
        lam_ring_consumer_detach(&one);
        close_ring();
    }
}

Test(resume, a_place_that_the_horizon_was_raised_over_is_counted)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct lam_ring_consumer one, again;

        open_ring_at(DEPTH, starts[i]);
        cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
        for (int n = 0; n < 8; n++)
            cr_assert(eq(int, publish(), 1));
        cr_assert(eq(u64, take_one(&one), 0));
        raise_over(test_start_from(starts[i]) + 5);
        lam_lock_drop(&one.lock);
        lam_ring_producer_detach(&producer);
        cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
        for (int n = 0; n < 60; n++)
            cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
        resume_as(&again, producer.horizon_ordinal - 1, producer.horizon_ordinal);
        lam_ring_consumer_detach(&again);
        close_ring();
    }
}

/* Take the entry's lock and the place, as far as that, and die. */
static void die_taking_over(uint32_t index)
{
    struct lam_ring_consumer half = {.ring = &ring, .index = index, .lock = {.fd = -1}};
    struct lam_ring_origin origin;

    half.cursor = &ring.control_head->entries[index].cursor;
    cr_assert(
        eq(int, lam_lock_take(&half.lock, ring.control.fd, LAM_RING_LOCK_CONSUMER + index), 0));
    cr_assert(eq(
        int, lam_ring_take_place(&half, &origin, lam_load_relaxed(&ring.data_head->horizon)), 0));
    lam_lock_drop(&half.lock);
}

Test(resume, one_that_dies_as_it_takes_over_leaves_the_place_as_it_was)
{
    for (int deaths = 1; deaths < 4; deaths++) {
        for (int reaped = 0; reaped < 2; reaped++) {
            struct lam_ring_consumer one, again;
            uint64_t oldest;

            open_ring_at(DEPTH, UINT64_MAX - 10);
            cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
            for (int n = 0; n < 6; n++)
                cr_assert(eq(int, publish(), 1));
            cr_assert(eq(u64, take_one(&one), 0));
            lam_ring_consumer_detach(&one);
            for (int n = 0; n < 60; n++)
                cr_assert(eq(int, publish(), 1));
            for (int i = 0; i < deaths; i++) {
                die_taking_over(one.index);
                /* The producer finds it dead, forgets nothing, and goes on. */
                for (int n = 0; reaped && n < 40; n++)
                    cr_assert(eq(int, publish(), 1));
            }
            oldest = producer.horizon_ordinal;
            resume_as(&again, oldest - 1, oldest);
            lam_ring_consumer_detach(&again);
            close_ring();
        }
    }
}

/* Kill a reader now and then, and let another one of its name come. */
static void kill_and_resume(uint64_t first_sequence, enum lam_ring_waiting waiting, unsigned nap)
{
    struct lam_ring_consumer_options options = {.name = "a", .start = LAM_RING_RESUME};
    struct child_log *log = make_log();
    uint64_t releasing = 0, released = 0, random = first_sequence | 1;

    make_ring(64, first_sequence, waiting);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    for (int round = 0; round < 8; round++) {
        pid_t child;
        uint64_t end_ns;

        lam_store_relaxed(&log->ready, 0);
        lam_store_relaxed(&log->first, UINT64_MAX);
        child = start_child(log, &options, UINT64_MAX);
        await_word(&log->ready, 1);
        random = random * 6364136223846793005 + 1442695040888963407;
        end_ns = lam_clock_now_ns() + (random >> 44); /* a millisecond or less */
        do
            cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
        while (lam_clock_now_ns() < end_ns || lam_load_relaxed(&log->first) == UINT64_MAX);
        kill_child(child);
        if (round > 0) {
            uint64_t first = lam_load_relaxed(&log->first);
            uint64_t lost = lam_load_relaxed(&log->lost);

            cr_assert(eq(u64, lam_load_relaxed(&log->resumed), 1));
            cr_assert(ge(u64, first, released + lost), "round %d", round);
            cr_assert(le(u64, first, releasing + lost), "round %d", round);
        }
        cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
        releasing = lam_load_relaxed(&log->releasing);
        released = lam_load_relaxed(&log->released);
        nap_ms(nap);
        /* Every other time it is found dead, and overtaken. */
        for (int n = 0; round % 2 == 0 && n < 200; n++)
            cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    }
    close_ring();
    (void)munmap(log, 4096);
}

Test(resume, after_a_kill_nothing_is_missed_untold_and_nothing_released_comes_again)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        kill_and_resume(starts[i] - 1000, i % 2 == 0 ? LAM_RING_MAY_SLEEP : LAM_RING_SPIN_ONLY, 2);
    kill_and_resume(0, LAM_RING_MAY_SLEEP, 80);
}

Test(resume, a_dead_one_holds_the_producer_until_it_is_found_dead)
{
    struct lam_ring_consumer_options options = {.name = "a", .start = LAM_RING_RESUME};
    struct child_log *log = make_log();
    struct lam_ring_consumer again;
    uint64_t lowest;
    pid_t child;

    open_ring_at(DEPTH, UINT64_MAX - 3);
    child = start_child(log, &options, UINT64_MAX);
    await_word(&log->ready, 1);
    cr_assert(eq(int, publish(), 1));
    await_word(&log->released, 1);
    kill_child(child);
    while (published < DEPTH)
        cr_assert(eq(int, publish(), 1)); /* there is room: nobody asks */
    cr_assert(eq(int, lam_ring_producer_lowest(&producer, &lowest), 1));
    cr_assert(eq(u64, lowest, test_start_from(UINT64_MAX - 3) + 1));
    resume_as(&again, 0, 1);
    cr_assert(eq(int, publish(), 0), "it gates");
    lam_ring_consumer_detach(&again);
    close_ring();
}
