/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each request comes to exactly one end, and no answer passes for another's.
 * Method: a caller and a responder of one process take turns; sequences and generations begin just
 * before they wrap.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pair.h"

static struct pair pair;

static void setup(void)
{
    pair_open(&pair);
}

static void teardown(void)
{
    pair_close(&pair);
}

TestSuite(calls, .init = setup, .fini = teardown, .timeout = 20);

Test(calls, carry_kind_deadline_and_bytes_in_place_both_ways)
{
    for (uint64_t number = 0; number < 300; number++) {
        uint64_t bytes = number * 7 % 900;
        uint64_t deadline_ns = number % 3 == 0 ? LAM_DEADLINE_NEVER : soon() + number;
        struct lam_ticket ticket = {0};
        struct lam_reply reply = {.outcome = 1};
        struct lam_request request;

        cr_assert(eq(int, pair_try_ask(&pair, number, bytes, deadline_ns, &ticket), 1));
        request = pair_next(&pair);
        cr_assert(eq(u64, request.deadline_ns, deadline_ns));
        cr_assert(eq(u64, request.payload_bytes, bytes));
        cr_assert(eq(u64, (uintptr_t)request.payload % 16, 0));
        cr_assert(eq(u16, request.kind, (uint16_t)number));
        cr_assert(known_matches(request.payload, number, bytes));
        cr_assert(eq(int, pair_try_answer(&pair, &request, number + 1, bytes, -(int)number), 1));
        cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &reply), 1));
        cr_assert(pair_is_answer(&reply, number + 1, bytes));
        cr_assert(eq(i32, reply.status, -(int)number));
        cr_assert(eq(int, lam_caller_release(&pair.caller, &reply), 0));
    }
    cr_assert(eq(u64, pair.caller.counts.answered, 300));
    cr_assert(eq(u64, pair.caller.counts.late + pair.caller.counts.foreign, 0));
}

Test(calls, are_answered_in_any_order)
{
    struct lam_ticket tickets[8];
    struct lam_request requests[8];

    for (uint64_t round = 0; round < 50; round++) {
        for (uint64_t i = 0; i < 8; i++)
            tickets[i] = pair_ask(&pair, 8 * round + i);
        for (uint64_t i = 0; i < 8; i++)
            requests[i] = pair_next(&pair);
        for (uint64_t i = 0; i < 8; i++) {
            uint64_t which = (i * 5 + round) % 8;

            cr_assert(known_matches(requests[which].payload, 8 * round + which, 48));
            pair_answer(&pair, &requests[which], 8 * round + which);
        }
        for (uint64_t i = 0; i < 8; i++) {
            uint64_t which = (i * 3 + round) % 8;
            struct lam_reply reply = {.outcome = 1};

            cr_assert(eq(int, lam_caller_try_take(&pair.caller, &tickets[which], &reply), 1));
            cr_assert(pair_is_answer(&reply, 8 * round + which, 48));
            cr_assert(eq(int, lam_caller_release(&pair.caller, &reply), 0));
        }
    }
    cr_assert(eq(u64, lam_held_count(&pair.caller.held), 0));
    cr_assert(eq(u64, lam_held_count(&pair.responder.held), 0));
}

Test(calls, of_any_are_taken_in_the_order_in_which_they_ended)
{
    struct lam_ticket first = pair_ask(&pair, 1);
    struct lam_ticket second = pair_ask(&pair, 2);
    struct lam_request request = pair_next(&pair);
    struct lam_request later = pair_next(&pair);
    struct lam_reply reply = {.outcome = 1};

    pair_answer(&pair, &later, 2);
    pair_answer(&pair, &request, 1);
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), 1));
    cr_assert(eq(u64, reply.ticket.id, second.id));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), 1));
    cr_assert(eq(u64, reply.ticket.id, first.id));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), -ENOENT));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, &first, &reply), -ENOENT));
}

Test(calls, larger_than_half_the_ring_go_as_frames_both_ways)
{
    static uint8_t bytes[40000];
    struct iovec parts[3] = {{bytes, 0}, {bytes, 1000}, {bytes + 1000, 1000}};
    struct lam_reply reply = {.outcome = 1};
    struct lam_ticket ticket = {0};
    struct lam_request request;

    known_fill(bytes, 7, 0, sizeof(bytes));
    cr_assert(eq(int, lam_caller_begin_until(&pair.caller, parts, 3, 9, soon(), &ticket), 0));
    cr_assert(eq(int, lam_responder_receive_until(&pair.responder, soon(), &request), 0));
    cr_assert(eq(u64, request.payload_bytes, 2000));
    cr_assert(known_matches(request.payload, 7, 2000));
    cr_assert(eq(int,
        lam_responder_reply_until(
            &pair.responder, &request, &(struct lam_answer){parts, 3, 9, 0}, soon()),
        0));
    cr_assert(eq(int, lam_caller_take_until(&pair.caller, &ticket, soon(), &reply), 0));
    cr_assert(eq(u64, reply.payload_bytes, 2000));
    cr_assert(known_matches(reply.payload, 7, 2000));
    cr_assert(eq(int, lam_caller_release(&pair.caller, &reply), 0));
}

Test(calls, end_once_at_their_deadline_and_a_late_answer_is_dropped)
{
    struct lam_reply reply = {.outcome = 1};
    struct lam_ticket ticket = {0};
    struct lam_request request;

    cr_assert(
        eq(int, pair_try_ask(&pair, 1, 48, lam_deadline_after_ns(LAM_NS_PER_S / 50), &ticket), 1));
    request = pair_next(&pair);
    cr_assert(eq(int, lam_caller_take_until(&pair.caller, &ticket, soon(), &reply), 0));
    cr_assert(eq(i32, reply.outcome, -ETIMEDOUT));
    cr_assert(eq(u64, lam_request_remaining_ns(&request), 0));
    pair_answer(&pair, &request, 1);
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &reply), -ENOENT));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), -ENOENT));
    cr_assert(eq(u64, pair.caller.counts.late, 1));
    cr_assert(eq(u64, pair.caller.counts.expired, 1));
}

Test(calls, wait_that_is_over_leaves_the_request_as_it_was)
{
    struct lam_ticket ticket = pair_ask(&pair, 1);
    struct lam_reply reply = {.outcome = 1};
    struct lam_request request;

    cr_assert(eq(int,
        lam_caller_take_until(&pair.caller, &ticket, lam_deadline_after_ns(LAM_NS_PER_MS), &reply),
        -ETIMEDOUT));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 1));
    request = pair_next(&pair);
    pair_answer(&pair, &request, 1);
    cr_assert(pair_ends(&pair, ticket, 0));
}

Test(calls, that_have_expired_are_passed_over_by_the_responder)
{
    struct lam_ticket old = {0};
    struct lam_ticket ticket;
    struct lam_request request;

    cr_assert(eq(int, pair_try_ask(&pair, 1, 48, 1, &old), 1));
    ticket = pair_ask(&pair, 2);
    request = pair_next(&pair);
    cr_assert(eq(u64, request.correlation.id, ticket.id));
    cr_assert(eq(u64, pair.responder.counts.expired, 1));
    cr_assert(pair_ends(&pair, old, -ETIMEDOUT));
}

Test(calls, that_are_cancelled_end_so_and_their_answers_are_dropped)
{
    struct lam_ticket ticket = pair_ask(&pair, 1);
    struct lam_request request = pair_next(&pair);

    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &request), 0));
    cr_assert(eq(int, lam_caller_cancel(&pair.caller, ticket), 1));
    cr_assert(eq(int, lam_caller_cancel(&pair.caller, ticket), -ENOENT));
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &request), 1));
    cr_assert(pair_ends(&pair, ticket, -ECANCELED));
    pair_answer(&pair, &request, 1);
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, NULL), -ENOENT));
    ticket = pair_ask(&pair, 2);
    request = pair_next(&pair);
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &request), 0));
    pair_answer(&pair, &request, 2);
    cr_assert(pair_ends(&pair, ticket, 0));
    cr_assert(eq(u64, pair.caller.counts.late, 1));
}

Test(calls, that_are_cancelled_behind_others_are_seen_and_never_handed_out)
{
    struct lam_ticket first = pair_ask(&pair, 1);
    struct lam_ticket second = pair_ask(&pair, 2);
    struct lam_ticket third = pair_ask(&pair, 3);
    struct lam_request request = pair_next(&pair);
    struct lam_request nothing;

    cr_assert(eq(int, lam_caller_cancel(&pair.caller, second), 1));
    cr_assert(eq(int, lam_caller_cancel(&pair.caller, first), 1));
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &request), 1));
    cr_assert(lam_responder_is_ready(&pair.responder));
    lam_responder_drop(&pair.responder, &request);
    request = pair_next(&pair);
    cr_assert(eq(u64, request.correlation.id, third.id));
    cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &nothing), 0));
    cr_assert(eq(u64, pair.responder.counts.canceled, 2));
    pair_answer(&pair, &request, 3);
    cr_assert(pair_ends(&pair, third, 0));
}

Test(calls, answered_twice_end_once)
{
    struct lam_ticket ticket = pair_ask(&pair, 1);
    struct lam_request request = pair_next(&pair);
    struct lam_framed_correlation correlation = request.correlation;
    struct lam_ticket next;
    uint64_t header[2] = {0, LAM_CALL_REPLY};
    struct iovec part = {header, sizeof(header)};

    pair_answer(&pair, &request, 1);
    cr_assert(
        eq(int, lam_framed_sender_try_send(&pair.replies.sender, &part, 1, 5, &correlation), 1));
    cr_assert(pair_ends(&pair, ticket, 0));
    /* The slot is used again; the double of its last answer is not its next one's. */
    for (int i = 0; i < 8; i++) {
        next = pair_ask(&pair, 2);
        request = pair_next(&pair);
        cr_assert(eq(
            int, lam_framed_sender_try_send(&pair.replies.sender, &part, 1, 5, &correlation), 1));
        pair_answer(&pair, &request, 2);
        cr_assert(pair_ends(&pair, next, 0));
    }
    cr_assert(eq(u64, pair.caller.counts.late, 9));
}

Test(calls, of_which_too_many_are_outstanding_are_refused_and_nothing_is_lost)
{
    struct lam_ticket tickets[8];
    struct lam_request request;
    void *payload;

    for (uint64_t i = 0; i < 8; i++)
        tickets[i] = pair_ask(&pair, i);
    cr_assert(eq(int, lam_caller_try_claim(&pair.caller, 48, &payload), -EBUSY));
    request = pair_next(&pair);
    pair_answer(&pair, &request, 0);
    /* Not before its end is taken. */
    cr_assert(eq(int, lam_caller_try_claim(&pair.caller, 48, &payload), -EBUSY));
    cr_assert(pair_ends(&pair, tickets[0], 0));
    cr_assert(eq(int, lam_caller_try_claim(&pair.caller, 48, &payload), 1));
    lam_caller_abort(&pair.caller);
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 7));
}

Test(calls, in_hand_are_bounded_and_the_rest_waits)
{
    struct lam_request requests[8];
    struct lam_request more;

    for (uint64_t i = 0; i < 8; i++)
        (void)pair_ask(&pair, i);
    for (uint64_t i = 0; i < 8; i++)
        requests[i] = pair_next(&pair);
    cr_assert(eq(
        int, lam_caller_cancel(&pair.caller, (struct lam_ticket){requests[0].correlation.id}), 1));
    cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &more), -EBUSY));
    cr_assert(eq(int, lam_responder_receive_until(&pair.responder, soon(), &more), -EBUSY));
    lam_responder_drop(&pair.responder, &requests[3]);
    cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &more), 0));
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &requests[0]), 1));
}

Test(calls, are_answered_after_their_payload_was_given_back)
{
    for (uint64_t i = 0; i < 100; i++) {
        struct lam_ticket ticket = pair_ask(&pair, i);
        struct lam_request request = pair_next(&pair);

        cr_assert(eq(int, lam_responder_release(&pair.responder, &request), 0));
        cr_assert(eq(ptr, (void *)request.payload, NULL));
        cr_assert(eq(u64, lam_held_count(&pair.responder.held), 0));
        pair_answer(&pair, &request, i);
        cr_assert(pair_ends(&pair, ticket, 0));
    }
}

Test(calls, replies_held_are_given_back_in_any_order)
{
    struct lam_reply replies[6];

    for (uint64_t round = 0; round < 40; round++) {
        for (uint64_t i = 0; i < 6; i++) {
            struct lam_ticket ticket = pair_ask(&pair, i);
            struct lam_request request = pair_next(&pair);

            pair_answer(&pair, &request, i);
            cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &replies[i]), 1));
        }
        for (uint64_t i = 0; i < 6; i++) {
            uint64_t which = (5 * i + round) % 6;

            cr_assert(pair_is_answer(&replies[which], which, 48));
            cr_assert(eq(int, lam_caller_release(&pair.caller, &replies[which]), 0));
        }
        cr_assert(eq(u64, lam_held_count(&pair.caller.held), 0));
    }
}

Test(calls, end_with_the_responders_close_each_once)
{
    struct lam_ticket first = pair_ask(&pair, 1);
    struct lam_ticket second = pair_ask(&pair, 2);
    struct lam_request request = pair_next(&pair);

    pair_answer(&pair, &request, 1);
    lam_framed_sender_close(&pair.replies.sender);
    cr_assert(pair_ends(&pair, second, -EPIPE));
    cr_assert(pair_ends(&pair, first, 0));
    cr_assert(not(pair_ends(&pair, second, -EPIPE)));
    /* What is asked later is told so, too. */
    first = pair_ask(&pair, 3);
    cr_assert(pair_ends(&pair, first, -EPIPE));
}

Test(calls, end_with_the_responders_death_each_once)
{
    struct lam_ticket first = pair_ask(&pair, 1);
    struct lam_ticket second = pair_ask(&pair, 2);
    struct lam_request request = pair_next(&pair);
    struct lam_reply reply = {.outcome = 1};

    pair_answer(&pair, &request, 1);
    lam_framed_sender_detach(&pair.replies.sender);
    cr_assert(eq(int, lam_caller_take_until(&pair.caller, &second, soon(), &reply), 0));
    cr_assert(eq(i32, reply.outcome, -EOWNERDEAD));
    cr_assert(pair_ends(&pair, first, 0));
    channel_attach_sender(&pair.replies);
    first = pair_ask(&pair, 3);
    request = pair_next(&pair); /* number 2, which nobody waits for */
    pair_answer(&pair, &request, 2);
    request = pair_next(&pair);
    pair_answer(&pair, &request, 3);
    cr_assert(pair_ends(&pair, first, 0));
    cr_assert(eq(u64, pair.caller.counts.late, 1));
}

Test(calls, answer_cut_midway_ends_its_request_alone)
{
    static uint8_t bytes[30000];
    struct iovec part = {bytes, sizeof(bytes)};
    struct lam_ticket first = pair_ask(&pair, 1);
    struct lam_ticket second = pair_ask(&pair, 2);
    struct lam_request request = pair_next(&pair);
    struct lam_request later = pair_next(&pair);

    cr_assert(eq(int,
        lam_responder_reply_until(&pair.responder, &request, &(struct lam_answer){&part, 1, 1, 0},
            lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(pair_ends(&pair, first, -ECANCELED));
    pair_answer(&pair, &later, 2);
    cr_assert(pair_ends(&pair, second, 0));
}

Test(calls, ask_and_wait_in_one_call)
{
    struct lam_reply reply = {.outcome = 1};
    uint64_t word = 5;
    struct iovec part = {&word, sizeof(word)};

    cr_assert(eq(int,
        lam_caller_call_until(
            &pair.caller, &part, 1, 1, lam_deadline_after_ns(LAM_NS_PER_MS), &reply),
        -ETIMEDOUT));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 0));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), -ENOENT));
}

Test(calls, status_without_bytes_is_an_answer)
{
    struct lam_ticket ticket = pair_ask(&pair, 1);
    struct lam_request request = pair_next(&pair);
    struct lam_reply reply = {.outcome = 1};

    cr_assert(eq(int,
        lam_responder_try_reply(
            &pair.responder, &request, &(struct lam_answer){.kind = 3, .status = -EDOM}),
        1));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &reply), 1));
    cr_assert(eq(i32, reply.outcome, 0));
    cr_assert(eq(i32, reply.status, -EDOM));
    cr_assert(eq(u64, reply.payload_bytes, 0));
    cr_assert(eq(u16, reply.kind, 3));
}

Test(calls, of_several_callers_are_answered_each_on_its_own_channel)
{
    struct lam_caller_options options = {.pending_max = 4, .number = 63};
    struct lam_caller other;
    struct channel replies;
    struct lam_ticket ticket, mine;
    struct lam_request request;
    struct lam_reply reply = {.outcome = 1};
    void *payload;

    pair_open_channel(&replies, 64, 0);
    cr_assert(eq(int,
        lam_caller_attach(&other, &pair.requests.sender, &replies.receiver, &options, NULL), 0));
    cr_assert(eq(int, lam_caller_try_claim(&other, 8, &payload), 1));
    ticket = lam_caller_commit(&other, 8, 1, soon());
    mine = pair_ask(&pair, 1);
    /* Nobody has told where that one's replies go. */
    request = pair_next(&pair);
    cr_assert(eq(u64, request.correlation.id, mine.id));
    cr_assert(eq(u64, pair.responder.counts.unknown, 1));
    cr_assert(eq(int, lam_responder_add(&pair.responder, 63, &replies.sender), 0));
    cr_assert(eq(int, lam_responder_add(&pair.responder, 64, &replies.sender), -EINVAL));
    pair_answer(&pair, &request, 1);
    cr_assert(eq(int, lam_caller_cancel(&other, ticket), 1));
    cr_assert(eq(int, lam_caller_try_take(&other, NULL, &reply), 1));
    cr_assert(eq(int, lam_caller_try_claim(&other, 8, &payload), 1));
    ticket = lam_caller_commit(&other, 8, 1, soon());
    request = pair_next(&pair);
    pair_answer(&pair, &request, 2);
    cr_assert(eq(int, lam_caller_try_take(&other, &ticket, &reply), 1));
    cr_assert(pair_is_answer(&reply, 2, 48));
    cr_assert(pair_ends(&pair, mine, 0));
    lam_caller_detach(&other);
    channel_close(&replies);
}

Test(calls, more_than_a_table_can_hold_are_refused_with_words)
{
    struct lam_caller_options options = {.pending_max = LAM_CALL_PENDING_MAX + 1};
    struct lam_responder_options more = {.pending_max = LAM_RESPONDER_PENDING_MAX + 1};
    struct lam_error error = {""};
    struct lam_caller caller;
    struct lam_responder responder;

    cr_assert(eq(int,
        lam_caller_attach(&caller, &pair.requests.sender, &pair.replies.receiver, &options, &error),
        -EINVAL));
    cr_assert(not(eq(ptr, strstr(error.text, "pending_max is 65537"), NULL)));
    lam_caller_detach(&caller);
    cr_assert(
        eq(int, lam_responder_attach(&responder, &pair.requests.receiver, &more, &error), -EINVAL));
    lam_responder_detach(&responder);
}

Test(calls, of_which_an_answer_is_given_back_are_answered_later)
{
    for (uint64_t i = 0; i < 40; i++) {
        struct lam_ticket ticket = pair_ask(&pair, i);
        struct lam_request request = pair_next(&pair);
        struct lam_reply reply = {.outcome = 1};
        void *payload;

        cr_assert(eq(int, lam_responder_try_claim(&pair.responder, &request, 200, &payload), 1));
        memset(payload, 0xff, 200);
        lam_responder_abort(&pair.responder, &request);
        cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &reply), 0));
        cr_assert(known_matches(request.payload, i, 48)); /* in hand, and lent, as before */
        pair_answer(&pair, &request, i);
        cr_assert(pair_ends(&pair, ticket, 0));
    }
}
