/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a consumer may ask for, it has of a ring with many producers, too: a patience, a
 * place to resume, others to go after, the oldest event; exact where claims that were given back
 * lie between the events. Method: two producers and consumers of one process, sequences at their
 * wraps.
 */
#include "lamina/ring/many.h"
#include "one_ring.h"

TestSuite(many_policies, .timeout = 60);

static struct lam_ring_many_producer producers[2];

static void open_for_many(uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "policies",
        .depth = DEPTH,
        .first_sequence = first_sequence,
        .producers = LAM_RING_MANY_PRODUCERS};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, lam_ring_many_attach(&producers[i], &ring, NULL, &error), 0));
    published = 0;
}

static void close_of_many(void)
{
    for (int i = 0; i < 2; i++)
        lam_ring_many_detach(&producers[i]);
    (void)lam_ring_destroy(&ring);
}

/* The next number, by the two in turn. */
static int publish_next(void)
{
    struct lam_ring_many_producer *by = &producers[published % 2];
    void *payload = NULL;
    int rc = lam_ring_many_try_claim(by, sizeof(published), &payload);

    if (rc == 1) {
        memcpy(payload, &published, sizeof(published));
        published++;
        lam_ring_many_commit(by, sizeof(published), 1, 0);
    }
    return rc;
}

/* A cell that is no event. */
static int give_back(void)
{
    void *payload = NULL;
    int rc = lam_ring_many_try_claim(&producers[0], 8, &payload);

    if (rc == 1)
        lam_ring_many_abort(&producers[0]);
    return rc;
}

/* Three events, and then one that is none. */
static int go_on(uint64_t step)
{
    return step % 4 == 3 ? give_back() : publish_next();
}

static void go_on_until_full(void)
{
    for (uint64_t step = 0; go_on(step) == 1; step++)
        continue;
}

static void evict_from(uint64_t first_sequence)
{
    struct lam_ring_consumer_options options = {.name = "held",
        .start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = LAM_NS_PER_MS};
    struct lam_ring_consumer held;
    struct lam_event event;
    uint64_t sequence, from, to, lost = 0;

    open_for_many(first_sequence);
    cr_assert(eq(int, lam_ring_consumer_attach(&held, &ring, &options, &error), 0));
    go_on_until_full();
    cr_assert(eq(u64, take_one(&held), 0));
    cr_assert(eq(u64, peek_one(&held), 1));
    for (uint64_t step = 0; step < 3 * DEPTH; step++)
        while (go_on(step) == 0)
            nap_ms(1);
    cr_assert(eq(int, lam_ring_consumer_release(&held), -ESTALE));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&held, &event), -ESTALE));
    lam_ring_consumer_place(&held, &sequence, &from);
    cr_assert(eq(u64, from, 2));
    cr_assert(eq(int, lam_ring_consumer_readmit(&held, LAM_RING_OLDEST, &lost, &error), 0));
    lam_ring_consumer_place(&held, &sequence, &to);
    cr_assert(eq(u64, lost, to - from));
    cr_assert(eq(u64, take_one(&held), to), "the first that is not lost");
    lam_ring_consumer_detach(&held);
    close_of_many();
}

Test(many_policies, a_wait_mode_that_there_is_not_is_named)
{
    struct lam_ring_many_options options = {.wait = (enum lam_wait_mode)4};
    struct lam_ring_many_producer third;

    open_for_many(0);
    cr_assert(eq(int, lam_ring_many_attach(&third, &ring, &options, &error), -EINVAL));
    cr_assert_not_null(strstr(error.text, "wait mode 4"), "%s", error.text);
    close_of_many();
}

Test(many_policies, an_evicted_one_learns_what_it_lost)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        evict_from(starts[i]);
}

/* One leaves after @released events; so many cells later its name comes again. */
static void resume_from(uint64_t first_sequence, uint64_t released, uint64_t cells)
{
    struct lam_ring_consumer one;
    uint64_t sequence, at, lost = 99;

    open_for_many(first_sequence);
    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    for (uint64_t number = 0; number < released; number++) {
        cr_assert(eq(int, publish_next(), 1));
        cr_assert(eq(u64, take_one(&one), number));
    }
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, give_back(), 1)); /* where it stops lies no event */
    lam_ring_consumer_detach(&one);
    for (uint64_t step = 0; step < cells; step++)
        cr_assert(eq(int, go_on(step), 1));
    cr_assert(
        eq(int, join(&one, "a", LAM_RING_RESUME), 0), "%s, %d cells later", error.text, (int)cells);
    cr_assert(eq(int, lam_ring_consumer_resumed(&one, &lost), 1));
    lam_ring_consumer_place(&one, &sequence, &at);
    cr_assert(eq(u64, lost, at - released));
    for (uint64_t number = released + lost; number < published; number++)
        cr_assert(eq(u64, take_one(&one), number), "%d cells later", (int)cells);
    cr_assert(eq(u64, take_one(&one), UINT64_MAX));
    lam_ring_consumer_detach(&one);
    close_of_many();
}

Test(many_policies, who_resumes_has_the_rest_and_the_exact_loss_also_behind_what_is_no_event)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        for (uint64_t cells = 0; cells < 3 * DEPTH; cells++)
            resume_from(starts[i], 1 + cells % 3, cells);
}

static void chain_from(uint64_t first_sequence)
{
    const char *first = "first";
    struct lam_ring_consumer_options options = {
        .name = "second", .start = LAM_RING_OLDEST, .after = &first, .after_count = 1};
    struct lam_ring_consumer leader, follower;

    open_for_many(first_sequence);
    cr_assert(eq(int, join(&leader, first, LAM_RING_OLDEST), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&follower, &ring, &options, &error), 0));
    for (uint64_t number = 0; number < 10 * DEPTH; number++) {
        if (number % 3 == 0)
            cr_assert(eq(int, give_back(), 1));
        cr_assert(eq(int, publish_next(), 1));
        cr_assert(eq(u64, peek_one(&follower), UINT64_MAX));
        cr_assert(eq(u64, take_one(&leader), number));
        cr_assert(eq(u64, take_one(&follower), number));
    }
    for (int i = 0; i < 2; i++)
        lam_ring_many_close(&producers[i]);
    lam_ring_consumer_detach(&follower);
    lam_ring_consumer_detach(&leader);
    close_of_many();
}

Test(many_policies, one_goes_after_another)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        chain_from(starts[i]);
}

Test(many_policies, the_oldest_is_the_first_that_the_ring_still_holds)
{
    struct lam_ring_consumer late;
    uint64_t sequence, oldest;

    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        open_for_many(starts[i]);
        for (uint64_t step = 0; step < 5 * DEPTH; step++)
            cr_assert(eq(int, go_on(step), 1));
        cr_assert(eq(int, join(&late, "late", LAM_RING_OLDEST), 0));
        lam_ring_consumer_place(&late, &sequence, &oldest);
        cr_assert(lt(u64, published - DEPTH, oldest));
        for (uint64_t number = oldest; number < published; number++)
            cr_assert(eq(u64, take_one(&late), number));
        lam_ring_consumer_detach(&late);
        close_of_many();
    }
}
