/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: where whoever answers goes and another takes its channel before anybody noticed, what was
 * asked of the first ends at once, by name and not by its deadline; what it had answered, and what
 * is asked of the second, is answered.
 * Method: a responder's sender leaves without a close, as a killed one's does, and the next one
 * attaches before the caller looks, or while it sleeps.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <unistd.h>

#include "crew.h"
#include "lamina/ring/stat.h"

static struct pair pair;
static struct crew crew;

static void setup(void)
{
    pair_open(&pair);
}

static void teardown(void)
{
    pair_close(&pair);
}

static void setup_crew(void)
{
    crew_open(&crew, 1, 64);
}

static void teardown_crew(void)
{
    crew_close(&crew);
}

TestSuite(call_successor, .init = setup, .fini = teardown, .timeout = 20);
TestSuite(scatter_successor, .init = setup_crew, .fini = teardown_crew, .timeout = 20);

/* Without a close: its lock is free, and no look at it falls between the two. */
static void replace(struct channel *replies)
{
    lam_framed_sender_detach(&replies->sender);
    channel_attach_sender(replies);
}

/* Without a deadline: nothing but the death ends it. */
static struct lam_ticket ask(uint64_t number)
{
    struct lam_ticket ticket = {0};

    cr_assert(eq(int, pair_try_ask(&pair, number, 48, LAM_DEADLINE_NEVER, &ticket), 1));
    return ticket;
}

Test(call_successor, ends_what_was_asked_before_it_came_each_once)
{
    struct lam_ticket first = ask(1), second = ask(2);
    struct lam_reply reply = {.outcome = 1};

    (void)pair_next(&pair);
    replace(&pair.replies);
    cr_assert(eq(int, lam_caller_take_until(&pair.caller, &second, LAM_DEADLINE_NEVER, &reply), 0));
    cr_assert(eq(i32, reply.outcome, -EOWNERDEAD));
    cr_assert(pair_ends(&pair, first, -EOWNERDEAD));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, &first, &reply), -ENOENT));
    cr_assert(eq(u64, pair.caller.counts.failed, 2));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 0));
}

Test(call_successor, leaves_what_the_dead_one_had_answered)
{
    struct lam_ticket first = ask(1), second = ask(2), third = ask(3);

    for (uint64_t number = 1; number <= 2; number++) {
        struct lam_request request = pair_next(&pair);

        pair_answer(&pair, &request, number);
    }
    replace(&pair.replies);
    cr_assert(pair_ends(&pair, first, 0));
    cr_assert(pair_ends(&pair, third, -EOWNERDEAD));
    cr_assert(pair_ends(&pair, second, 0));
}

Test(call_successor, answers_what_is_asked_of_it)
{
    struct lam_ticket first = ask(1), second;
    struct lam_request request;

    replace(&pair.replies);
    second = ask(2);
    request = pair_next(&pair);
    lam_responder_drop(&pair.responder, &request);
    request = pair_next(&pair);
    cr_assert(not(pair_ends(&pair, second, -EOWNERDEAD)));
    pair_answer(&pair, &request, 2);
    cr_assert(pair_ends(&pair, second, 0));
    cr_assert(pair_ends(&pair, first, -EOWNERDEAD));
}

Test(call_successor, of_a_successor_is_told_too)
{
    struct lam_ticket first = ask(1), second;

    replace(&pair.replies);
    second = ask(2);
    replace(&pair.replies);
    cr_assert(pair_ends(&pair, first, -EOWNERDEAD));
    cr_assert(pair_ends(&pair, second, -EOWNERDEAD));
}

Test(call_successor, first_responder_replaces_nobody)
{
    struct lam_framed_sender sender;
    struct lam_ticket ticket = {0};
    struct lam_reply reply = {.outcome = 1};
    struct lam_request request;
    struct channel replies;
    struct lam_caller caller;
    void *payload;

    channel_make_ring(&replies.ring, 64, test_next_start());
    channel_attach_receiver(&replies, 0, LAM_RING_HEAD);
    cr_assert(eq(
        int, lam_caller_attach(&caller, &pair.requests.sender, &replies.receiver, NULL, NULL), 0));
    cr_assert(eq(int, lam_caller_try_claim(&caller, 48, &payload), 1));
    known_fill(payload, 1, 0, 48);
    ticket = lam_caller_commit(&caller, 48, 1, LAM_DEADLINE_NEVER);
    cr_assert(eq(int, lam_framed_sender_attach(&sender, &replies.ring, NULL, NULL), 0));
    cr_assert(eq(int, lam_caller_try_take(&caller, &ticket, &reply), 0));
    cr_assert(eq(int, lam_responder_add(&pair.responder, 0, &sender), 0));
    request = pair_next(&pair);
    pair_answer(&pair, &request, 1);
    cr_assert(eq(int, lam_caller_try_take(&caller, &ticket, &reply), 1));
    cr_assert(pair_is_answer(&reply, 1, 48));
    lam_caller_detach(&caller);
    lam_framed_sender_detach(&sender);
    lam_framed_receiver_detach(&replies.receiver);
    (void)lam_ring_destroy(&replies.ring);
}

/* What it had sent of an answer in frames is cut when the next one speaks: that request alone. */
Test(call_successor, answers_behind_half_an_answer_of_the_dead_one)
{
    struct lam_ticket first = ask(1), second;
    struct lam_request request = pair_next(&pair);
    struct lam_framed_correlation correlation = request.correlation;
    uint64_t piece_bytes;
    void *piece;

    cr_assert(
        eq(int, lam_framed_sender_open_stream(&pair.replies.sender, 5000, 1, &correlation), 0));
    cr_assert(
        eq(int, lam_framed_sender_try_claim_piece(&pair.replies.sender, &piece, &piece_bytes), 1));
    memset(piece, 0, piece_bytes);
    lam_framed_sender_commit_piece(&pair.replies.sender, piece_bytes);
    cr_assert(not(pair_ends(&pair, first, 0))); /* it has begun */
    lam_responder_drop(&pair.responder, &request);
    replace(&pair.replies);
    second = ask(2);
    request = pair_next(&pair);
    pair_answer(&pair, &request, 2);
    cr_assert(pair_ends(&pair, second, 0));
    cr_assert(pair_ends(&pair, first, -EOWNERDEAD));
}

/* Until who waits at the other end of @ring sleeps. */
static void wait_for_sleep(const struct lam_ring *ring)
{
    struct lam_ring_stat stat;

    do {
        (void)usleep(1000);
        cr_assert(eq(int, lam_ring_stat_read(ring, &stat), 0));
    } while (stat.consumers[0].parks == 0);
}

static void *take_for_ever(void *ticket)
{
    struct lam_reply reply = {.outcome = 1};

    (void)lam_caller_take_until(&pair.caller, ticket, LAM_DEADLINE_NEVER, &reply);
    return (void *)(intptr_t)reply.outcome;
}

Test(call_successor, is_noticed_by_a_caller_that_sleeps)
{
    struct lam_ticket ticket = ask(1);
    pthread_t thread;
    void *outcome;

    cr_assert(eq(int, pthread_create(&thread, NULL, take_for_ever, &ticket), 0));
    wait_for_sleep(&pair.replies.ring);
    replace(&pair.replies);
    cr_assert(eq(int, pthread_join(thread, &outcome), 0));
    cr_assert(eq(int, (int)(intptr_t)outcome, -EOWNERDEAD));
}

Test(scatter_successor, of_a_worker_ends_its_part_of_the_round_alone)
{
    cr_assert(eq(int, crew_begin(&crew, 1, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, crew_answer(&crew, 0), 1));
    cr_assert(eq(int, crew_answer(&crew, 1), 1));
    cr_assert(eq(int, crew_answer(&crew, 2), 1));
    replace(&crew.replies[1]); /* it had answered */
    replace(&crew.replies[3]); /* it had not */
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, LAM_DEADLINE_NEVER), 0));
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(crew_is_answer(&crew, i, 1));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 3)->outcome, -EOWNERDEAD));
    /* The next round is its, and what it inherited is an answer too late. */
    cr_assert(eq(int, crew_begin(&crew, 2, LAM_DEADLINE_NEVER), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    cr_assert(eq(int, crew_answer(&crew, 3), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, LAM_DEADLINE_NEVER), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, 2));
    cr_assert(eq(u64, crew.scatter.late_of[3], 1));
}

static void *gather_for_ever(void *unused)
{
    (void)unused;
    (void)lam_scatter_gather_until(&crew.scatter, LAM_DEADLINE_NEVER);
    return NULL;
}

Test(scatter_successor, is_noticed_by_a_gather_that_sleeps)
{
    pthread_t thread;

    cr_assert(eq(int, crew_begin(&crew, 1, LAM_DEADLINE_NEVER), 0));
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    cr_assert(eq(int, pthread_create(&thread, NULL, gather_for_ever, NULL), 0));
    wait_for_sleep(&crew.replies[3].ring);
    replace(&crew.replies[3]);
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 3)->outcome, -EOWNERDEAD));
}
