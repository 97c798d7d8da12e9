/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever a caller and a responder do in whatever order, requests and their ends agree with
 * a plain list of what was asked.
 * Method: random asks, cancels, takes, answers, drops, releases, closes, successors, foreign and
 * double answers over two small channels, by a clock of its own; after each call the list
 * says what it may have returned. Sequences and generations begin just before they wrap.
 *
 * Mutants: call_model.mutants.
 */
#include "pair.h"
#include "processes.h"

#define PENDING   6
#define KNOWN_MAX 4096 /* requests of one run */

enum stage { SENT, IN_HAND, DONE };

struct known {
    uint64_t id;
    uint64_t number;
    uint64_t deadline_ns;
    uint64_t bytes;
    enum stage stage; /* at the responder */
    int answered;
    int status;
    int canceled;
    int taken;
    uint64_t successors; /* when it was asked */
};

static struct pair pair;
static struct known known[KNOWN_MAX];
static uint32_t known_count;
static uint32_t first_sent; /* nobody before it is to be handed out */
static struct lam_request in_hand[PENDING];
static uint32_t in_hand_of[PENDING]; /* index in known */
static uint32_t in_hand_count;
static struct lam_reply held[PENDING];
static uint32_t held_of[PENDING];
static uint32_t held_count;
static int is_closed;
static uint64_t closes;
static uint64_t successors; /* who took the channel of replies over, closed or not */
static uint64_t now_ns;

static uint64_t model_now_ns(void)
{
    return now_ns;
}

static uint32_t draw(uint32_t below)
{
    return (uint32_t)rand() % below;
}

static void do_ask(void)
{
    struct known *one = &known[known_count];
    struct lam_ticket ticket = {0};
    int rc;

    if (known_count == KNOWN_MAX)
        return;
    *one = (struct known){
        .number = known_count, .bytes = draw(3) == 0 ? draw(500) : 48, .successors = successors};
    one->deadline_ns = draw(3) == 0 ? LAM_DEADLINE_NEVER : now_ns + draw(2000);
    if (draw(2)) {
        rc = pair_try_ask(&pair, one->number, one->bytes, one->deadline_ns, &ticket);
    } else {
        static uint8_t bytes[512];
        const struct iovec parts[3] = {{bytes, one->bytes / 3}, {bytes, 0},
            {bytes + one->bytes / 3, one->bytes - one->bytes / 3}};

        known_fill(bytes, one->number, 0, one->bytes);
        rc = lam_caller_try_begin(
            &pair.caller, parts, 3, (uint16_t)(one->number & 0x7fff), one->deadline_ns, &ticket);
    }
    TEST_CHECK(rc == 0 || rc == 1 || rc == -EBUSY);
    if (rc != 1)
        return;
    for (uint32_t i = 0; i < known_count; i++)
        TEST_CHECK(known[i].id != ticket.id);
    one->id = ticket.id;
    known_count++;
}

static void do_abort(void)
{
    void *payload;

    if (lam_caller_try_claim(&pair.caller, 100, &payload) == 1)
        lam_caller_abort(&pair.caller);
}

/* One that was asked lately, whatever became of it. */
static struct known *any_known(void)
{
    uint32_t back = draw(2 * PENDING);

    return known_count > back ? &known[known_count - 1 - back] : NULL;
}

static void do_cancel(void)
{
    struct known *one = any_known();
    int rc;

    if (one == NULL || draw(3) != 0)
        return;
    rc = lam_caller_cancel(&pair.caller, (struct lam_ticket){one->id});
    TEST_CHECK(rc == 0 || rc == 1 || rc == -ENOENT);
    TEST_CHECK(rc == -ENOENT || (!one->taken && !one->canceled));
    if (rc != -ENOENT)
        one->canceled = 1 + (rc == 0); /* 2: nobody was told */
}

static void check_end(struct known *one, const struct lam_reply *reply)
{
    TEST_CHECK(!one->taken);
    one->taken = 1;
    switch (reply->outcome) {
    case 0:
        TEST_CHECK(one->answered && !one->canceled);
        TEST_CHECK(reply->status == one->status);
        TEST_CHECK(pair_is_answer(reply, one->number + 1, one->bytes));
        held_of[held_count] = (uint32_t)(one - known);
        held[held_count++] = *reply;
        break;
    case -ECANCELED:
        TEST_CHECK(one->canceled);
        break;
    case -ETIMEDOUT:
        TEST_CHECK(!one->canceled && now_ns >= one->deadline_ns);
        break;
    case -EOWNERDEAD:
        TEST_CHECK(one->successors != successors && !one->canceled);
        break;
    default:
        TEST_CHECK(reply->outcome == -EPIPE && closes != 0 && !one->canceled);
    }
}

static void do_take(void)
{
    struct known *one = draw(3) ? any_known() : NULL;
    struct lam_ticket ticket = {one != NULL ? one->id : 0};
    struct lam_reply reply = {.outcome = 1};
    int rc;

    if (held_count == PENDING)
        return;
    rc = lam_caller_try_take(&pair.caller, one != NULL ? &ticket : NULL, &reply);
    if (rc == -EBUSY) { /* no place for one more: ours is the oldest, and was not released */
        TEST_CHECK(lam_held_is_full(&pair.caller.held) && held_count != 0);
        return;
    }
    TEST_CHECK(rc == 1 || rc == 0 || rc == -ENOENT);
    if (rc == 1) {
        for (uint32_t i = 0; one == NULL && i < known_count; i++)
            if (known[i].id == reply.ticket.id)
                one = &known[i];
        TEST_CHECK(one != NULL && reply.ticket.id == one->id);
        check_end(one, &reply);
    } else if (one != NULL) {
        TEST_CHECK((rc == -ENOENT) == one->taken);
        TEST_CHECK(one->taken ||
                   !(one->answered || one->canceled || is_closed || one->successors != successors ||
                       (one->deadline_ns != LAM_DEADLINE_NEVER && one->deadline_ns <= now_ns)));
    }
    /* Nothing is held: all that was received has been given back. */
    if (lam_held_count(&pair.caller.held) == 0)
        TEST_CHECK(pair.replies.receiver.released == pair.replies.receiver.consumer.next);
}

static void do_release_reply(void)
{
    uint32_t i;

    if (held_count == 0)
        return;
    i = draw(held_count);
    /* Held all the time, and not written again. */
    TEST_CHECK(pair_is_answer(&held[i], known[held_of[i]].number + 1, known[held_of[i]].bytes));
    TEST_CHECK(lam_caller_release(&pair.caller, &held[i]) == 0);
    held[i] = held[--held_count];
    held_of[i] = held_of[held_count];
}

/* The next that is to be handed out, or NULL. */
static struct known *next_sent(void)
{
    for (; first_sent < known_count; first_sent++)
        if (known[first_sent].stage == SENT && known[first_sent].deadline_ns > now_ns)
            return &known[first_sent];
    return NULL;
}

static void do_receive(void)
{
    struct lam_request *request = &in_hand[in_hand_count];
    struct known *one = next_sent();
    int rc;

    if (in_hand_count == PENDING)
        return;
    rc = lam_responder_try_receive(&pair.responder, request);
    if (rc == -EBUSY)
        return;
    TEST_CHECK(rc == 0 || rc == 1);
    /* Those whose cancel came before they were looked at are passed over. */
    while (one != NULL && one->canceled == 1 && (rc != 1 || request->correlation.id != one->id)) {
        one->stage = DONE;
        one = next_sent();
    }
    TEST_CHECK((rc == 1) == (one != NULL));
    if (rc != 1)
        return;
    TEST_CHECK(request->correlation.id == one->id && request->deadline_ns == one->deadline_ns);
    TEST_CHECK(request->payload_bytes == one->bytes && request->kind == (one->number & 0x7fff));
    TEST_CHECK(known_matches(request->payload, one->number, one->bytes));
    one->stage = IN_HAND;
    in_hand_of[in_hand_count++] = (uint32_t)(one - known);
}

static void hand_over(uint32_t i)
{
    known[in_hand_of[i]].stage = DONE;
    in_hand[i] = in_hand[--in_hand_count];
    in_hand_of[i] = in_hand_of[in_hand_count];
}

static void do_answer(void)
{
    uint32_t i = in_hand_count != 0 ? draw(in_hand_count) : 0;
    struct known *one = &known[in_hand_of[i]];
    int rc;

    if (in_hand_count == 0 || is_closed)
        return;
    if (in_hand[i].payload != NULL)
        TEST_CHECK(known_matches(in_hand[i].payload, one->number, one->bytes));
    if (draw(8) == 0)
        TEST_CHECK(lam_responder_release(&pair.responder, &in_hand[i]) == 0);
    if (draw(8) == 0) {
        lam_responder_drop(&pair.responder, &in_hand[i]);
        hand_over(i);
        return;
    }
    one->status = -(int)draw(3);
    rc = pair_try_answer(&pair, &in_hand[i], one->number + 1, one->bytes, one->status);
    TEST_CHECK(rc == 0 || rc == 1);
    if (rc == 1) {
        one->answered = 1;
        hand_over(i);
    }
}

static void do_ask_whether_canceled(void)
{
    uint32_t i;
    int rc;

    if (in_hand_count == 0)
        return;
    i = draw(in_hand_count);
    rc = lam_responder_is_canceled(&pair.responder, &in_hand[i]);
    /* 2 was never told; and where the table is full, not all was looked at. */
    if (rc ||
        (pair.responder.free_first != LAM_CALL_NONE && !lam_held_is_full(&pair.responder.held)))
        TEST_CHECK(rc == (known[in_hand_of[i]].canceled == 1));
}

/* What no responder of ours sends: an answer again, one for somebody else, for nobody. */
static void do_stray(void)
{
    struct known *one = any_known();
    struct lam_framed_correlation correlation = {
        .id = one != NULL ? one->id : 0, .scope = pair.caller.scope};
    uint64_t header[2] = {0, LAM_CALL_REPLY};
    const struct iovec part = {header, sizeof(header)};

    if (one == NULL || is_closed)
        return;
    switch (draw(3)) {
    case 0:
        correlation.scope ^= UINT64_C(1) << draw(64);
        break;
    case 1:
        /* Of a generation that is far away: a forger who guesses right is believed. */
        correlation.id += UINT64_C(1) << (48 + draw(16));
        break;
    default:
        if (!one->taken)
            return;
    }
    (void)lam_framed_sender_try_send(&pair.replies.sender, &part, 1, 7, &correlation);
}

static void do_close(void)
{
    if (draw(40) != 0)
        return;
    if (is_closed || draw(2)) {
        lam_framed_sender_detach(&pair.replies.sender);
        channel_attach_sender(&pair.replies);
        successors++;
        is_closed = 0;
        return;
    }
    lam_framed_sender_close(&pair.replies.sender);
    closes++;
    is_closed = 1;
}

static void step(void)
{
    static void (*const steps[])(void) = {do_ask, do_ask, do_ask, do_take, do_take, do_take,
        do_receive, do_receive, do_answer, do_answer, do_cancel, do_release_reply, do_release_reply,
        do_ask_whether_canceled, do_stray, do_close, do_abort};

    now_ns += draw(100);
    steps[draw(sizeof(steps) / sizeof(steps[0]))]();
}

/* All that is outstanding comes to its end, and every place is free again. */
static void drain(void)
{
    const struct lam_caller_counts *counts = &pair.caller.counts;
    struct lam_reply reply;

    while (in_hand_count != 0) {
        lam_responder_drop(&pair.responder, &in_hand[0]);
        hand_over(0);
    }
    while (held_count != 0)
        do_release_reply();
    if (!is_closed)
        lam_framed_sender_close(&pair.replies.sender);
    closes++;
    is_closed = 1;
    while (lam_caller_try_take(&pair.caller, NULL, &reply) == 1)
        TEST_CHECK(lam_caller_release(&pair.caller, &reply) == 0);
    TEST_CHECK(lam_caller_outstanding(&pair.caller) == 0);
    TEST_CHECK(counts->begun == known_count);
    TEST_CHECK(
        counts->begun == counts->answered + counts->canceled + counts->expired + counts->failed);
    TEST_CHECK(lam_held_count(&pair.caller.held) == 0);
}

static void run(unsigned seed)
{
    srand(seed);
    known_count = first_sent = in_hand_count = held_count = 0;
    is_closed = 0;
    closes = successors = 0;
    pair_open_of(&pair, seed % 2 ? 64 : 256, PENDING);
    for (uint32_t i = 0; i < 20000; i++)
        step();
    drain();
    pair_close(&pair);
}

int main(void)
{
    static struct lam_base_ops ops;
    uint64_t runs = 20 * effort();

    now_ns = lam_clock_now_ns();
    ops = *lam_base;
    ops.now_ns = model_now_ns;
    lam_base = &ops;
    for (uint64_t seed = 1; seed <= runs; seed++)
        run((unsigned)seed);
    return 0;
}
