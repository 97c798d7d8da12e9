/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: bytes that no caller and no responder writes poison their channel; answers and requests of
 * the right make and wrong correlation are dropped and counted; nothing crashes, loops or matches.
 * Method: a layer 0 producer in the peer's place writes every wrong shape, and random ones.
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

TestSuite(call_hostile, .init = setup, .fini = teardown, .timeout = 30);
TestSuite(call_hostile_bytes, .timeout = 30); /* a pair for each shape */

/* Correlation, header and some payload, as words. */
struct raw {
    uint64_t words[6];
    uint32_t bytes;
    uint16_t flags;
    uint16_t kind;
};

static void put(struct channel *channel, const struct raw *raw)
{
    struct lam_ring_producer *producer = &channel->sender.producer;
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(producer, raw->bytes, &payload), 1));
    memcpy(payload, raw->words, raw->bytes);
    lam_ring_producer_commit(producer, raw->bytes, raw->kind, raw->flags);
}

enum { CORRELATED = LAM_EVENT_CORRELATION };

/* What neither end takes from the other, whatever is outstanding. */
static const struct raw impossible[] = {
    {{1, 2, 0, LAM_CALL_REQUEST}, 32, 0, 1},                              /* no correlation */
    {{1, 2, 0, 0}, 32, CORRELATED, 1},                                    /* no type */
    {{1, 2, 0, 4}, 32, CORRELATED, 1},                                    /* an unknown one */
    {{1, 2, 0, UINT64_MAX}, 32, CORRELATED, 1},                           /* likewise */
    {{1, 2, 0, LAM_CALL_REQUEST | UINT64_C(1) << 32}, 32, CORRELATED, 1}, /* zero is not */
    {{1, 2, 0, LAM_CALL_REPLY | UINT64_C(1) << 63}, 32, CORRELATED, 1},   /* likewise */
    {{1, 2, 0, LAM_CALL_REQUEST}, 31, CORRELATED, 1},                     /* a header less a byte */
    {{1, 2}, 16, CORRELATED, 1},                                          /* none */
    {{1}, 8, CORRELATED, 1},                                              /* half a correlation */
    {{0}, 0, 0, 1},                                                       /* nothing */
    {{1, 2, 0, LAM_CALL_REQUEST}, 32, CORRELATED, 0x8002}, /* a kind of this layer's */
};

static void poisons_replies(const struct raw *raw)
{
    struct lam_ticket ticket;

    pair_open(&pair);
    ticket = pair_ask(&pair, 1);
    put(&pair.replies, raw);
    cr_assert(pair_ends(&pair, ticket, -ENOTRECOVERABLE));
    cr_assert(not(pair_ends(&pair, ticket, -ENOTRECOVERABLE)));
    ticket = pair_ask(&pair, 1);
    cr_assert(pair_ends(&pair, ticket, -ENOTRECOVERABLE));
    pair_close(&pair);
}

static void poisons_requests(const struct raw *raw)
{
    struct lam_request request;

    pair_open(&pair);
    put(&pair.requests, raw);
    cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &request), -ENOTRECOVERABLE));
    cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &request), -ENOTRECOVERABLE));
    pair_close(&pair);
}

Test(call_hostile_bytes, poison_either_channel_where_they_are_impossible)
{
    static const struct raw request = {{1, 2, 0, LAM_CALL_REQUEST}, 32, CORRELATED, 1};
    static const struct raw reply = {{1, 2, 0, LAM_CALL_REPLY}, 32, CORRELATED, 1};
    static const struct raw cancel = {{1, 2, 0, LAM_CALL_CANCEL}, 32, CORRELATED, 1};

    for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
        poisons_replies(&impossible[i]);
        poisons_requests(&impossible[i]);
    }
    poisons_replies(&request);
    poisons_replies(&cancel);
    poisons_requests(&reply);
}

Test(call_hostile, answers_of_any_correlation_match_nothing_but_their_request)
{
    struct lam_ticket ticket = pair_ask(&pair, 1);
    struct lam_request request = pair_next(&pair);
    uint64_t strays = 0;

    for (uint32_t bit = 0; bit < 128; bit++) {
        struct raw raw = {{ticket.id, pair.caller.scope, 0, LAM_CALL_REPLY}, 32, CORRELATED, 1};
        struct lam_reply reply;

        raw.words[bit / 64] ^= UINT64_C(1) << bit % 64;
        put(&pair.replies, &raw);
        strays++;
        cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &reply), 0));
        cr_assert(eq(u64, pair.caller.counts.late + pair.caller.counts.foreign, strays));
    }
    cr_assert(eq(u64, pair.caller.counts.foreign, 64));
    pair_answer(&pair, &request, 1);
    cr_assert(pair_ends(&pair, ticket, 0));
}

Test(call_hostile, flood_of_strays_does_not_keep_a_call_from_its_deadline)
{
    struct lam_ticket ticket = {0};
    struct lam_reply reply = {.outcome = 1};
    const struct raw raw = {{7, pair.caller.scope, 0, LAM_CALL_REPLY}, 32, CORRELATED, 1};
    int rc = 0;

    cr_assert(
        eq(int, pair_try_ask(&pair, 1, 48, lam_deadline_after_ns(LAM_NS_PER_MS), &ticket), 1));
    for (uint32_t i = 0; rc == 0 && i < 10000000; i++) {
        put(&pair.replies, &raw);
        rc = lam_caller_try_take(&pair.caller, &ticket, &reply);
    }
    cr_assert(eq(int, rc, 1));
    cr_assert(eq(i32, reply.outcome, -ETIMEDOUT));
}

Test(call_hostile, double_requests_are_two_and_one_cancel_is_for_both)
{
    const struct raw raw = {{7, 0, UINT64_MAX, LAM_CALL_REQUEST}, 32, CORRELATED, 1};
    const struct raw cancel = {{7, 0, 0, LAM_CALL_CANCEL}, 32, CORRELATED, 1};
    struct lam_request first, second;

    put(&pair.requests, &raw);
    put(&pair.requests, &raw);
    first = pair_next(&pair);
    second = pair_next(&pair);
    put(&pair.requests, &cancel);
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &first), 1));
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &second), 1));
    put(&pair.requests, &cancel); /* and again: it is for nobody */
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &first), 1));
    cr_assert(eq(u64, pair.responder.counts.canceled, 2));
    lam_responder_drop(&pair.responder, &second);
    lam_responder_drop(&pair.responder, &first);
}

Test(call_hostile, requests_for_callers_that_are_none_are_passed_over)
{
    struct lam_ticket ticket;
    struct lam_request request;

    for (uint64_t number = 1; number != 0; number <<= 1) {
        const struct raw raw = {
            {7, number << 32 | 5, UINT64_MAX, LAM_CALL_REQUEST}, 32, CORRELATED, 1};

        if (number << 32 != 0)
            put(&pair.requests, &raw);
        cr_assert(eq(int, lam_responder_try_receive(&pair.responder, &request), 0));
    }
    cr_assert(eq(u64, pair.responder.counts.unknown, 32));
    ticket = pair_ask(&pair, 1);
    request = pair_next(&pair);
    cr_assert(eq(u64, request.correlation.id, ticket.id));
}

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* A word that a peer could write, near to those that mean something. */
static uint64_t nasty(uint64_t id, uint64_t scope)
{
    switch (next_random() % 6) {
    case 0:
        return id;
    case 1:
        return scope;
    case 2:
        return next_random() % 5;
    case 3:
        return UINT64_MAX - next_random() % 3;
    case 4:
        return UINT64_C(1) << next_random() % 64;
    default:
        return next_random();
    }
}

/* Random bytes for either end. Each request comes to one end all the same. */
static void random_round(uint64_t seed)
{
    struct lam_ticket ticket;
    struct lam_request request;
    struct lam_reply reply;
    uint32_t ends = 0;

    state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    pair_open(&pair);
    ticket = pair_ask(&pair, 1);
    for (uint32_t i = 0; i < 8; i++) {
        struct raw raw = {.bytes = (uint32_t)(next_random() % 49),
            .flags = next_random() % 4 ? CORRELATED : (uint16_t)(next_random() % 32),
            .kind = next_random() % 8 ? 1 : (uint16_t)next_random()};

        for (uint32_t k = 0; k < 6; k++)
            raw.words[k] = nasty(ticket.id, pair.caller.scope);
        put(next_random() % 2 ? &pair.replies : &pair.requests, &raw);
        while (lam_responder_try_receive(&pair.responder, &request) == 1)
            lam_responder_drop(&pair.responder, &request);
        if (lam_caller_try_take(&pair.caller, NULL, &reply) == 1) {
            (void)lam_caller_release(&pair.caller, &reply);
            ends += reply.ticket.id == ticket.id ? 1 : 2;
        }
    }
    cr_assert(le(u32, ends, 1));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 1 - ends));
    pair_close(&pair);
}

Test(call_hostile_bytes, never_end_a_request_twice)
{
    for (uint64_t seed = 0; seed < 3000 * effort(); seed++)
        random_round(seed);
}
