/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an answer in frames that does not come whole, for whatever reason, is its request's end at
 * once, and says why.
 * Method: a caller and a responder of one process take turns; the answer's first frames are written
 * by the responder's sender, and no request has a deadline: an end that is not told never comes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "crew.h"

#define ANSWER_BYTES 20000 /* five times the ring */

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

TestSuite(call_cuts, .init = setup, .fini = teardown, .timeout = 20);

static struct lam_ticket ask(uint64_t number)
{
    struct lam_ticket ticket = {0};

    if (pair_try_ask(&pair, number, 48, LAM_DEADLINE_NEVER, &ticket) != 1)
        abort();
    return ticket;
}

/* Begin the answer to what @correlation names: its header, and the first two of its frames. */
static void answer_half(
    struct lam_framed_sender *sender, const struct lam_framed_correlation *correlation)
{
    const uint64_t header[2] = {0, LAM_CALL_REPLY};
    uint64_t piece_bytes;
    void *piece;

    if (lam_framed_sender_open_stream(sender, ANSWER_BYTES, 1, correlation) != 0)
        abort();
    for (int i = 0; i < 2; i++) {
        if (lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes) != 1)
            abort();
        memset(piece, 0, piece_bytes);
        if (i == 0)
            memcpy(piece, header, sizeof(header));
        lam_framed_sender_commit_piece(sender, piece_bytes);
    }
}

/* The end of @ticket, told to one who waits. */
static int32_t outcome_of(struct lam_ticket ticket)
{
    struct lam_reply reply = {.outcome = 1};

    cr_assert(eq(int, lam_caller_take_until(&pair.caller, &ticket, soon(), &reply), 0));
    cr_assert(eq(u64, reply.ticket.id, ticket.id));
    cr_assert(eq(int, lam_caller_release(&pair.caller, &reply), 0));
    return reply.outcome;
}

/* A caller whose replies come by a receiver of these @options. */
static void take_replies_by(const struct lam_framed_receiver_options *options)
{
    struct lam_error error = {""};

    lam_caller_detach(&pair.caller);
    lam_framed_receiver_detach(&pair.replies.receiver);
    if (lam_framed_receiver_attach(&pair.replies.receiver, &pair.replies.ring, options, &error) !=
            0 ||
        lam_caller_attach(
            &pair.caller, &pair.requests.sender, &pair.replies.receiver, NULL, &error) != 0)
        channel_fail(&error);
}

Test(call_cuts, of_an_answer_that_is_given_up_end_its_request_alone)
{
    struct lam_ticket first = ask(1);
    struct lam_ticket second = ask(2);
    struct lam_request request = pair_next(&pair);
    struct lam_request later = pair_next(&pair);

    answer_half(&pair.replies.sender, &request.correlation);
    lam_framed_sender_cancel_stream(&pair.replies.sender);
    cr_assert(eq(i32, outcome_of(first), -ECANCELED));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 1));
    pair_answer(&pair, &later, 2);
    cr_assert(eq(i32, outcome_of(second), 0));
    /* It is in hand as before; who answers it now answers nobody. */
    pair_answer(&pair, &request, 1);
    cr_assert(not(pair_ends(&pair, first, 0)));
    cr_assert(eq(u64, pair.caller.counts.failed, 1));
}

Test(call_cuts, by_the_responders_death_end_all_that_it_had)
{
    struct lam_ticket first = ask(1);
    struct lam_ticket second = ask(2);
    struct lam_request request = pair_next(&pair);

    answer_half(&pair.replies.sender, &request.correlation);
    lam_framed_sender_detach(&pair.replies.sender);
    cr_assert(eq(i32, outcome_of(first), -EOWNERDEAD));
    cr_assert(eq(i32, outcome_of(second), -EOWNERDEAD));
}

Test(call_cuts, by_a_death_are_told_where_the_successor_is_quicker_than_the_news)
{
    struct lam_ticket first = ask(1);
    struct lam_ticket second;
    struct lam_request request = pair_next(&pair);

    answer_half(&pair.replies.sender, &request.correlation);
    lam_framed_sender_detach(&pair.replies.sender);
    channel_attach_sender(&pair.replies);
    pair_answer(&pair, &request, 1); /* its second answer, whole: too late */
    cr_assert(eq(i32, outcome_of(first), -EOWNERDEAD));
    second = ask(2);
    request = pair_next(&pair);
    pair_answer(&pair, &request, 2);
    cr_assert(eq(i32, outcome_of(second), 0));
    cr_assert(eq(u64, pair.caller.counts.late, 1));
}

Test(call_cuts, by_a_close_are_told_before_the_close)
{
    struct lam_ticket first = ask(1);
    struct lam_ticket second = ask(2);
    struct lam_request request = pair_next(&pair);

    answer_half(&pair.replies.sender, &request.correlation);
    lam_framed_sender_close(&pair.replies.sender);
    cr_assert(eq(i32, outcome_of(first), -ECANCELED));
    cr_assert(eq(i32, outcome_of(second), -EPIPE));
}

Test(call_cuts, end_a_request_whose_answer_is_larger_than_is_taken)
{
    const struct lam_framed_receiver_options options = {.message_bytes_max = ANSWER_BYTES - 1};
    struct lam_ticket first, second;
    struct lam_request request;

    take_replies_by(&options);
    first = ask(1);
    request = pair_next(&pair);
    answer_half(&pair.replies.sender, &request.correlation);
    cr_assert(eq(i32, outcome_of(first), -EMSGSIZE));
    lam_framed_sender_cancel_stream(&pair.replies.sender);
    second = ask(2);
    lam_responder_drop(&pair.responder, &request);
    request = pair_next(&pair);
    pair_answer(&pair, &request, 2);
    cr_assert(eq(i32, outcome_of(second), 0));
}

Test(call_cuts, by_an_eviction_end_all_that_was_outstanding)
{
    const struct lam_framed_receiver_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX,
        .consumer = {.policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_MS}};
    struct lam_ticket first;
    struct lam_request request;
    uint64_t piece_bytes;
    void *piece;

    take_replies_by(&options);
    first = ask(1);
    request = pair_next(&pair);
    answer_half(&pair.replies.sender, &request.correlation);
    cr_assert(not(pair_ends(&pair, first, 0))); /* half of it has come */
    for (int i = 0; i < 8; i++) {
        cr_assert(eq(int,
            lam_framed_sender_claim_piece_until(&pair.replies.sender, soon(), &piece, &piece_bytes),
            0));
        lam_framed_sender_commit_piece(&pair.replies.sender, piece_bytes);
    }
    cr_assert(eq(i32, outcome_of(first), -ESTALE));
}

Test(call_cuts, by_a_lap_end_all_that_was_outstanding)
{
    const struct lam_framed_receiver_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .consumer.policy = LAM_RING_LOSSY};
    struct lam_ticket first, second;
    struct lam_request request;
    uint64_t piece_bytes;
    void *piece;

    take_replies_by(&options);
    first = ask(1);
    request = pair_next(&pair);
    answer_half(&pair.replies.sender, &request.correlation);
    cr_assert(not(pair_ends(&pair, first, 0)));
    while (lam_framed_sender_is_streaming(&pair.replies.sender)) {
        cr_assert(eq(
            int, lam_framed_sender_try_claim_piece(&pair.replies.sender, &piece, &piece_bytes), 1));
        lam_framed_sender_commit_piece(&pair.replies.sender, piece_bytes);
    }
    cr_assert(eq(i32, outcome_of(first), -EOVERFLOW));
    second = ask(2);
    lam_responder_drop(&pair.responder, &request);
    request = pair_next(&pair);
    pair_answer(&pair, &request, 2);
    cr_assert(eq(i32, outcome_of(second), 0));
}

Test(call_cuts, of_one_workers_answer_are_its_outcome_and_the_others_answers_come)
{
    crew_open(&crew, 1, 64);
    cr_assert(eq(int, crew_begin(&crew, 1, LAM_DEADLINE_NEVER), 0));
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(eq(int, crew_take(&crew, i), 1));
        answer_half(&crew.replies[i].sender, &crew.requests_taken[i].correlation);
    }
    lam_framed_sender_cancel_stream(&crew.replies[0].sender);
    lam_framed_sender_detach(&crew.replies[1].sender);
    cr_assert(eq(int, crew_answer(&crew, 2), 1));
    cr_assert(eq(int, crew_answer(&crew, 3), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 0)->outcome, -ECANCELED));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -EOWNERDEAD));
    cr_assert(crew_is_answer(&crew, 2, 1));
    cr_assert(crew_is_answer(&crew, 3, 1));
    crew_close(&crew);
}
