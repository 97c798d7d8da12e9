/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages of frames of many senders come interleaved and are put together side by side; what
 * there is no buffer for is told; whoever goes, in order or not, costs its own message alone.
 * Method: one thread holds several senders and a receiver, so that every interleaving can be made;
 * from sequences before each wrap. frames_crash.c has real processes and real deaths.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "channel.h"

#define SENDERS 3

static struct lam_ring ring;
static struct lam_framed_many senders[SENDERS];
static struct lam_framed_receiver receiver;
static struct lam_framed_message message;

static void attach_sender(unsigned index)
{
    struct lam_framed_many_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .extensions = LAM_EVENT_CRC32C};

    cr_assert(eq(int, lam_framed_many_attach(&senders[index], &ring, &options, NULL), 0));
}

static void attach_receiver(uint32_t streams_max)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = 10000, .streams_max = streams_max};

    cr_assert(eq(int, lam_framed_receiver_attach(&receiver, &ring, &options, NULL), 0));
}

static void open_many(uint64_t first_sequence, uint32_t streams_max)
{
    struct lam_ring_options options = {.name = "framed-many",
        .depth = 64,
        .first_sequence = first_sequence,
        .producers = LAM_RING_MANY_PRODUCERS};

    cr_assert(eq(int, lam_ring_create(&ring, &options, NULL), 0));
    for (unsigned i = 0; i < SENDERS; i++)
        attach_sender(i);
    attach_receiver(streams_max);
}

static void open_three(void)
{
    open_many(UINT64_MAX - 20, SENDERS);
}

static void close_many(void)
{
    lam_framed_receiver_detach(&receiver);
    for (unsigned i = 0; i < SENDERS; i++)
        lam_framed_many_detach(&senders[i]);
    (void)lam_ring_destroy(&ring);
}

TestSuite(many, .init = open_three, .fini = close_many, .timeout = 30);
TestSuite(many_wraps, .timeout = 30);

static void begin(unsigned index, uint64_t number, uint64_t bytes)
{
    cr_assert(eq(int,
        lam_framed_many_open_stream(&senders[index], bytes, (uint16_t)(number & 0x7fff), NULL), 0));
}

/* Send the next piece of message @number, at most @bytes of it. Returns as try_claim_piece(). */
static int piece(unsigned index, uint64_t number, uint64_t bytes)
{
    uint64_t offset = senders[index].stream.bytes_sent;
    uint64_t piece_bytes;
    void *memory;
    int rc = lam_framed_many_try_claim_piece(&senders[index], &memory, &piece_bytes);

    if (rc != 1)
        return rc;
    if (piece_bytes > bytes)
        piece_bytes = bytes;
    known_fill(memory, number, offset, piece_bytes);
    lam_framed_many_commit_piece(&senders[index], piece_bytes);
    return 1;
}

static int send_small(unsigned index, uint64_t number, uint64_t bytes)
{
    uint8_t content[2000];
    struct iovec part = {content, bytes};

    known_fill(content, number, 0, bytes);
    return lam_framed_many_try_send(&senders[index], &part, 1, (uint16_t)(number & 0x7fff), NULL);
}

static int receive(void)
{
    return lam_framed_receiver_try_receive(&receiver, &message);
}

static void expect(uint64_t number, uint64_t bytes)
{
    cr_assert(eq(int, receive(), 1));
    cr_assert(known_is(&message, number, bytes), "%d of %d", (int)number, (int)bytes);
    cr_assert(eq(int, lam_framed_receiver_release(&receiver, &message), 0));
}

static void expect_loss(uint64_t number, uint64_t bytes)
{
    struct lam_framed_loss loss;

    cr_assert(eq(int, lam_framed_receiver_loss(&receiver, &loss), 1));
    cr_assert(eq(u64, loss.total_bytes, bytes));
    cr_assert(eq(int, loss.kind, (int)number));
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* What each sender has on its way; what was sent and not received yet, in order of completion. */
struct book {
    uint64_t number[SENDERS];
    uint64_t bytes[SENDERS];
    uint64_t done_number[256];
    uint64_t done_bytes[256];
    unsigned done_first, done_end;
    uint64_t next;
};

static void done(struct book *book, uint64_t number, uint64_t bytes)
{
    book->done_number[book->done_end % 256] = number;
    book->done_bytes[book->done_end++ % 256] = bytes;
}

static void send_some(struct book *book)
{
    unsigned index = (unsigned)random_below(SENDERS);

    if (lam_framed_many_is_streaming(&senders[index])) {
        (void)piece(index, book->number[index], 1 + random_below(700));
        if (!lam_framed_many_is_streaming(&senders[index]))
            done(book, book->number[index], book->bytes[index]);
    } else if (random_below(3) == 0) {
        uint64_t bytes = random_below(1500);

        if (send_small(index, book->next, bytes) == 1)
            done(book, book->next++, bytes);
    } else {
        book->number[index] = book->next++;
        book->bytes[index] = 1 + random_below(5000);
        begin(index, book->number[index], book->bytes[index]);
    }
}

static void receive_some(struct book *book)
{
    int rc = receive();

    if (rc == 0)
        return;
    cr_assert(eq(int, rc, 1));
    cr_assert(lt(uint, book->done_first, book->done_end));
    cr_assert(known_is(&message, book->done_number[book->done_first % 256],
        book->done_bytes[book->done_first % 256]));
    book->done_first++;
    cr_assert(eq(int, lam_framed_receiver_release(&receiver, &message), 0));
}

Test(many_wraps, interleaved_messages_are_put_together_side_by_side)
{
    static const uint64_t firsts[] = {
        0, UINT32_MAX - 99, (UINT64_C(1) << 63) - 99, UINT64_MAX - 99};

    for (unsigned at = 0; at < 4; at++) {
        struct book book = {.next = 1};

        open_many(firsts[at], SENDERS);
        for (unsigned step = 0; step < 6000 * effort(); step++) {
            send_some(&book);
            if (random_below(2) == 0)
                receive_some(&book);
        }
        cr_assert(lt(uint, 300, book.done_first));
        close_many();
    }
}

Test(many, what_exceeds_the_bound_is_told_and_costs_that_message_alone)
{
    lam_framed_receiver_detach(&receiver);
    attach_receiver(2);
    for (unsigned i = 0; i < SENDERS; i++)
        begin(i, i + 1, 900);
    for (unsigned i = 0; i < SENDERS; i++)
        cr_assert(eq(int, piece(i, i + 1, 100), 1));
    cr_assert(eq(int, receive(), -EUSERS));
    expect_loss(3, 900);
    for (unsigned i = 0; i < SENDERS; i++)
        cr_assert(eq(int, piece(i, i + 1, 100), 1));
    while (lam_framed_many_is_streaming(&senders[2])) {
        cr_assert(eq(int, receive(), 0)); /* its other frames, without a word */
        cr_assert(eq(int, piece(2, 3, 900), 1));
    }
    cr_assert(eq(int, piece(0, 1, 900), 1));
    expect(1, 900);
    cr_assert(eq(int, piece(1, 2, 900), 1));
    expect(2, 900);
    cr_assert(eq(int, send_small(2, 7, 100), 1));
    expect(7, 100);
}

Test(many, a_buffer_that_is_held_is_waited_for)
{
    lam_framed_receiver_detach(&receiver);
    attach_receiver(1);
    begin(0, 1, 300);
    cr_assert(eq(int, piece(0, 1, 300), 1));
    begin(1, 2, 300);
    cr_assert(eq(int, piece(1, 2, 300), 1));
    cr_assert(eq(int, receive(), 1));
    struct lam_framed_message held = message;
    cr_assert(eq(int, receive(), -EBUSY));
    cr_assert(known_is(&held, 1, 300));
    cr_assert(eq(int, lam_framed_receiver_release(&receiver, &held), 0));
    expect(2, 300);
}

Test(many, a_cut_message_is_told_and_the_others_go_on)
{
    for (unsigned i = 0; i < SENDERS; i++)
        begin(i, i + 1, 900);
    for (unsigned i = 0; i < SENDERS; i++)
        cr_assert(eq(int, piece(i, i + 1, 100), 1));
    lam_framed_many_cancel_stream(&senders[1]);
    cr_assert(eq(int, receive(), -ECANCELED));
    expect_loss(2, 900);
    cr_assert(eq(int, piece(2, 3, 900), 1));
    expect(3, 900);
    cr_assert(eq(int, piece(0, 1, 900), 1));
    expect(1, 900);
    cr_assert(eq(int, send_small(1, 7, 100), 1));
    expect(7, 100);
}

Test(many, a_cut_that_finds_no_room_is_owed_and_paid)
{
    begin(1, 2, 9000);
    cr_assert(eq(int, piece(1, 2, 100), 1));
    while (send_small(0, 5, 10) == 1)
        continue;
    lam_framed_many_cancel_stream(&senders[1]);
    cr_assert(not(lam_framed_many_is_streaming(&senders[1])));
    cr_assert(eq(int, send_small(1, 6, 10), 0)); /* still no room */
    expect(5, 10);
    for (int rc = 1; rc != 0;) {
        rc = receive();
        if (rc == 1)
            cr_assert(eq(int, lam_framed_receiver_release(&receiver, &message), 0));
    }
    cr_assert(eq(int, send_small(1, 6, 10), 1));
    cr_assert(eq(int, receive(), -ECANCELED));
    expect_loss(2, 9000);
    expect(6, 10);
}

Test(many, a_first_frame_shows_that_the_same_senders_last_message_was_given_up)
{
    begin(1, 2, 9000);
    cr_assert(eq(int, piece(1, 2, 100), 1));
    while (send_small(0, 5, 10) == 1)
        continue;
    lam_framed_many_cancel_stream(&senders[1]);
    begin(1, 3, 300); /* pays nothing, and owes nothing */
    for (int rc = 1; rc != 0;) {
        rc = receive();
        if (rc == 1)
            cr_assert(eq(int, lam_framed_receiver_release(&receiver, &message), 0));
    }
    cr_assert(eq(int, piece(1, 3, 300), 1));
    cr_assert(eq(int, receive(), -ECANCELED));
    expect_loss(2, 9000);
    expect(3, 300);
}

Test(many, a_sender_that_leaves_midway_is_told_of_while_others_stay)
{
    begin(0, 1, 900);
    begin(1, 2, 900);
    cr_assert(eq(int, piece(0, 1, 100), 1));
    cr_assert(eq(int, piece(1, 2, 100), 1));
    lam_framed_many_detach(&senders[1]);
    cr_assert(eq(int, lam_framed_receiver_receive_until(&receiver, soon(), &message), -ECANCELED));
    expect_loss(2, 900);
    cr_assert(eq(int, piece(0, 1, 900), 1));
    expect(1, 900);
    attach_sender(1);
    begin(1, 4, 700);
    cr_assert(eq(int, piece(1, 4, 700), 1));
    expect(4, 700);
}

Test(many, who_leaves_behind_a_whole_message_has_cut_nothing)
{
    const struct timespec pause = {.tv_nsec = 20000000}; /* until senders are looked after */

    begin(1, 2, 900);
    cr_assert(eq(int, piece(1, 2, 100), 1));
    cr_assert(eq(int, receive(), 0));
    cr_assert(eq(int, piece(1, 2, 900), 1));
    lam_framed_many_detach(&senders[1]);
    (void)nanosleep(&pause, NULL);
    expect(2, 900);
    cr_assert(eq(int, receive(), 0));
}

Test(many, all_that_is_on_its_way_is_told_when_the_channel_closes)
{
    unsigned told = 0;

    for (unsigned i = 0; i < SENDERS; i++) {
        begin(i, i + 1, 900);
        cr_assert(eq(int, piece(i, i + 1, 100), 1));
    }
    for (unsigned i = 0; i < SENDERS; i++)
        lam_ring_many_close(&senders[i].producer);
    for (;;) {
        int rc = lam_framed_receiver_receive_until(&receiver, soon(), &message);

        if (rc == -EPIPE)
            break;
        cr_assert(eq(int, rc, -ECANCELED));
        expect_loss(told + 1, 900);
        told++;
    }
    cr_assert(eq(int, told, SENDERS));
}

Test(many, a_joiner_drops_what_it_did_not_see_begin)
{
    begin(0, 1, 900);
    begin(1, 2, 900);
    cr_assert(eq(int, piece(0, 1, 100), 1));
    cr_assert(eq(int, piece(1, 2, 100), 1));
    lam_framed_receiver_detach(&receiver);
    attach_receiver(2);
    begin(2, 3, 900);
    cr_assert(eq(int, piece(2, 3, 100), 1));
    cr_assert(eq(int, piece(0, 1, 900), 1));
    cr_assert(eq(int, receive(), 0));
    cr_assert(eq(int, piece(2, 3, 900), 1));
    cr_assert(eq(int, piece(1, 2, 900), 1));
    expect(3, 900);
    cr_assert(eq(int, receive(), 0));
}

Test(many, what_is_held_in_place_is_released_before_frames_go_on)
{
    begin(0, 1, 900);
    cr_assert(eq(int, piece(0, 1, 100), 1));
    cr_assert(eq(int, send_small(1, 2, 50), 1));
    cr_assert(eq(int, piece(0, 1, 900), 1));
    cr_assert(eq(int, receive(), 1));
    struct lam_framed_message held = message;
    cr_assert(eq(int, receive(), -EBUSY));
    cr_assert(known_is(&held, 2, 50));
    cr_assert(eq(int, lam_framed_receiver_release(&receiver, &held), 0));
    expect(1, 900);
}

Test(many, impossible_senders_poison)
{
    struct lam_ring_many_producer *producer = &senders[0].producer;
    uint64_t words[6] = {0, 32, 0, 7, 0, 0};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_many_try_claim(producer, 48, &payload), 1));
    words[0] = producer->start;
    words[1] = 16;
    words[3] = 7 | UINT64_C(65) << 32; /* there is no entry 64 */
    memcpy(payload, words, 48);
    lam_ring_many_commit(
        producer, 48, LAM_FRAMED_KIND_FRAME, LAM_EVENT_FIRST_FRAME | LAM_EVENT_LAST_FRAME);
    cr_assert(eq(int, receive(), -ENOTRECOVERABLE));
    cr_assert(eq(int, receive(), -ENOTRECOVERABLE));
}
