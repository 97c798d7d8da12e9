/* SPDX-License-Identifier: Apache-2.0 */
/* What the rounds of frames_crash.c send, and what of it a receiver has to see. */
#include "frames_crash.h"

static uint8_t content[8192] __attribute__((aligned(16)));
static uint8_t memory[8192] __attribute__((aligned(16)));

static uint16_t kind_of(uint64_t number)
{
    return (uint16_t)(number & 0x7fff);
}

/* Message number @number is @who's: its bytes follow from both. */
static uint64_t mix(unsigned who, uint64_t number)
{
    return number + who * UINT64_C(1000003);
}

void crash_send_one(struct lam_framed_sender *sender, uint64_t number, uint64_t end)
{
    for (; number < end; number++) {
        struct lam_framed_correlation correlation = {.id = number, .scope = 0};
        uint64_t bytes = crash_bytes(number);
        struct iovec part = {content, bytes};
        uint64_t piece_bytes;
        void *piece;

        lam_store_release(&crash.board->begun[0], number);
        known_fill(content, mix(0, number), 0, bytes);
        if (!crash_is_cut(number)) {
            TEST_CHECK(lam_framed_sender_send_until(
                           sender, &part, 1, kind_of(number), &correlation, crash_soon()) == 0);
            continue;
        }
        TEST_CHECK(
            lam_framed_sender_open_stream(sender, bytes, kind_of(number), &correlation) == 0);
        for (int i = 0; i < 2; i++) {
            TEST_CHECK(lam_framed_sender_claim_piece_until(
                           sender, crash_soon(), &piece, &piece_bytes) == 0);
            if (i == 0)
                lam_framed_sender_commit_piece(sender, piece_bytes / 2);
        }
        lam_framed_sender_cancel_stream(sender);
    }
    lam_store_release(&crash.board->begun[0], end);
}

void crash_send_many(struct lam_framed_many *sender, unsigned who, uint64_t number, uint64_t end)
{
    for (; number < end; number++) {
        struct lam_framed_correlation correlation = {.id = number, .scope = who};
        uint64_t bytes = crash_bytes(number);
        struct iovec part = {content, bytes};
        uint64_t piece_bytes;
        void *piece;

        lam_store_release(&crash.board->begun[who], number);
        known_fill(content, mix(who, number), 0, bytes);
        if (!crash_is_cut(number)) {
            TEST_CHECK(lam_framed_many_send_until(
                           sender, &part, 1, kind_of(number), &correlation, crash_soon()) == 0);
            continue;
        }
        TEST_CHECK(lam_framed_many_open_stream(sender, bytes, kind_of(number), &correlation) == 0);
        for (int i = 0; i < 2; i++) {
            TEST_CHECK(
                lam_framed_many_claim_piece_until(sender, crash_soon(), &piece, &piece_bytes) == 0);
            lam_framed_many_commit_piece(sender, 1 + piece_bytes / 2);
        }
        lam_framed_many_cancel_stream(sender);
    }
    lam_store_release(&crash.board->begun[who], end);
}

static int is_the_dead_ones(unsigned who, uint64_t number)
{
    return who == 0 && crash.of->scene != crash_scene_receiver &&
           lam_load_acquire(&crash.board->killed) != 0 &&
           number == lam_load_acquire(&crash.board->died_at);
}

/* Message @number of @who came to its end: is it the one that had to? */
static void check_next(struct crash_reader *reader, unsigned who, uint64_t number)
{
    uint64_t next = reader->next[who];

    /* What the dead had begun may never have been there, or be told later. */
    if (next != UINT64_MAX && number == next + 1 && is_the_dead_ones(who, next))
        next = number;
    if (next != UINT64_MAX && next != number)
        (void)fprintf(stderr, "sender %u: message %llu where %llu had to come\n", who,
            (unsigned long long)number, (unsigned long long)next);
    TEST_CHECK(next == UINT64_MAX || next == number);
    reader->next[who] = number + 1;
}

static void check_message(struct crash_reader *reader, const struct lam_framed_message *message)
{
    uint64_t number;
    unsigned who;

    TEST_CHECK(message->correlation != NULL && message->correlation->scope < CRASH_SENDERS);
    number = message->correlation->id;
    who = (unsigned)message->correlation->scope;
    TEST_CHECK(message->kind == kind_of(number) && message->payload_bytes == crash_bytes(number) &&
               !crash_is_cut(number));
    TEST_CHECK(known_matches(message->payload, mix(who, number), crash_bytes(number)));
    check_next(reader, who, number);
}

/* Some message was lost by @rc, which has to be one that was given up, or the dead one's. */
static void check_loss(struct crash_reader *reader, int rc)
{
    struct lam_framed_loss loss;
    unsigned who;

    TEST_CHECK(lam_framed_receiver_loss(&reader->end, &loss) == 1);
    TEST_CHECK((loss.flags & LAM_EVENT_CORRELATION) != 0);
    who = (unsigned)loss.correlation.scope;
    TEST_CHECK(who < CRASH_SENDERS && loss.total_bytes == crash_bytes(loss.correlation.id));
    if (rc == -EOWNERDEAD)
        TEST_CHECK(is_the_dead_ones(who, loss.correlation.id));
    else
        TEST_CHECK(crash_is_cut(loss.correlation.id));
    /* Of many senders another one's message may be quicker than the news; of one, never. */
    if (rc == -EOWNERDEAD && crash.of->scene == crash_scene_many &&
        reader->next[who] > loss.correlation.id)
        return;
    check_next(reader, who, loss.correlation.id);
}

int crash_read(struct crash_reader *reader, uint64_t deadline_ns)
{
    struct lam_framed_message message = {.payload = NULL};
    struct lam_framed_loss loss;
    int rc;

    if (reader->takes)
        rc = lam_framed_receiver_take_until(
            &reader->end, deadline_ns, memory, sizeof(memory), &message);
    else
        rc = lam_framed_receiver_receive_until(&reader->end, deadline_ns, &message);
    if (rc == 0) {
        check_message(reader, &message);
        if (!reader->takes)
            TEST_CHECK(lam_framed_receiver_release(&reader->end, &message) == 0);
        return 0;
    }
    if ((rc == -ECANCELED || rc == -EOWNERDEAD) &&
        lam_framed_receiver_loss(&reader->end, &loss) == 1) {
        check_loss(reader, rc);
        return 0;
    }
    return rc;
}
