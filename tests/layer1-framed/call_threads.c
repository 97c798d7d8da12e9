/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a caller and a responder in two threads, several requests outstanding, share nothing but
 * the messages; nobody reads what the other may write already.
 * Method: as many calls as the effort asks for, answered out of order, some cancelled, under
 * ThreadSanitizer too, by three kinds of waiting.
 */
#include <pthread.h>

#include "pair.h"
#include "processes.h"

#define OUTSTANDING 6

static struct lam_ring requests, replies;
static uint64_t call_count;
static enum lam_wait_mode mode;

static void attach(struct lam_framed_sender *sender, struct lam_ring *out,
    struct lam_framed_receiver *receiver, struct lam_ring *in)
{
    struct lam_framed_sender_options to = {.producer.wait = mode};
    struct lam_framed_receiver_options from = {.consumer = {.wait = mode}};
    struct lam_error error = {""};

    TEST_OK(lam_framed_receiver_attach(receiver, in, &from, &error), error);
    TEST_OK(lam_framed_sender_attach(sender, out, &to, &error), error);
}

static void answer(struct lam_responder *responder, struct lam_request *request)
{
    void *payload = NULL;

    if (lam_responder_is_canceled(responder, request)) {
        lam_responder_drop(responder, request);
        return;
    }
    TEST_CHECK(lam_responder_claim_until(responder, request, 48, soon(), &payload) == 0);
    memcpy(payload, request->payload, 48);
    lam_responder_commit(responder, request, 48, request->kind, 0);
}

static void *respond(void *nothing)
{
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;
    struct lam_request taken[2];

    attach(&sender, &replies, &receiver, &requests);
    TEST_CHECK(lam_responder_attach(&responder, &receiver, NULL, NULL) == 0);
    TEST_CHECK(lam_responder_add(&responder, 0, &sender) == 0);
    while (lam_responder_receive_until(&responder, soon(), &taken[0]) == 0) {
        if (lam_responder_try_receive(&responder, &taken[1]) == 1)
            answer(&responder, &taken[1]);
        answer(&responder, &taken[0]);
    }
    lam_responder_detach(&responder);
    lam_framed_sender_close(&sender);
    lam_framed_sender_detach(&sender);
    lam_framed_receiver_detach(&receiver);
    return nothing;
}

static void take_one(struct lam_caller *caller, const uint64_t *asked)
{
    struct lam_reply reply;

    TEST_CHECK(lam_caller_take_until(caller, NULL, soon(), &reply) == 0);
    TEST_CHECK(reply.outcome == 0 || reply.outcome == -ECANCELED);
    TEST_CHECK(
        reply.outcome != 0 ||
        known_matches(reply.payload, asked[lam_ticket_slot(reply.ticket)], reply.payload_bytes));
    TEST_CHECK(lam_caller_release(caller, &reply) == 0);
}

static void ask_and_take(struct lam_caller *caller, uint64_t *asked)
{
    for (uint64_t number = 1; number <= call_count + OUTSTANDING; number++) {
        struct lam_ticket ticket;
        void *payload = NULL;

        if (number > OUTSTANDING)
            take_one(caller, asked);
        if (number > call_count)
            continue;
        TEST_CHECK(lam_caller_claim_until(caller, 48, soon(), &payload) == 0);
        known_fill(payload, number, 0, 48);
        ticket = lam_caller_commit(caller, 48, 1, soon());
        asked[lam_ticket_slot(ticket)] = number;
        if (number % 7 == 0)
            (void)lam_caller_cancel(caller, ticket);
    }
}

static void run(void)
{
    const struct lam_caller_options options = {.pending_max = OUTSTANDING + 1};
    uint64_t asked[OUTSTANDING + 1] = {0};
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_caller caller;
    pthread_t thread;

    channel_make_ring(&requests, 64, test_next_start());
    channel_make_ring(&replies, 64, test_next_start());
    attach(&sender, &requests, &receiver, &replies);
    TEST_CHECK(lam_caller_attach(&caller, &sender, &receiver, &options, NULL) == 0);
    TEST_CHECK(pthread_create(&thread, NULL, respond, NULL) == 0);
    TEST_CHECK(lam_framed_sender_wait_receivers_until(&sender, 1, soon()) == 0);
    ask_and_take(&caller, asked);
    TEST_CHECK(lam_caller_outstanding(&caller) == 0 && caller.counts.begun == call_count);
    lam_framed_sender_close(&sender);
    TEST_CHECK(pthread_join(thread, NULL) == 0);
    lam_caller_detach(&caller);
    lam_framed_sender_detach(&sender);
    lam_framed_receiver_detach(&receiver);
    (void)lam_ring_destroy(&requests);
    (void)lam_ring_destroy(&replies);
}

int main(void)
{
    static const enum lam_wait_mode modes[] = {LAM_WAIT_HYBRID, LAM_WAIT_YIELD, LAM_WAIT_FUTEX};

    call_count = 3000 * effort();
    for (uint32_t i = 0; i < 3; i++) {
        mode = modes[i];
        run();
    }
    return 0;
}
