/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what was asked for arrives with a message and nothing else does: correlation, the time of
 * its publication, a checksum of all of it; and a message whose bytes are not those that were sent
 * costs itself alone.
 * Method: every set of extensions, at sizes about the ring, from sequences before each wrap. For
 * damage, this process flips bytes in the ring, where it holds both ends.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"
#include "lamina/ring/stat.h"

#define CHOICE (LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)

static struct channel channel;
static struct lam_framed_message message;

static void open_with(uint64_t first_sequence, uint16_t extensions)
{
    struct lam_framed_sender_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .extensions = extensions};

    channel_make_ring(&channel.ring, 16, first_sequence);
    cr_assert(eq(int, lam_framed_sender_attach(&channel.sender, &channel.ring, &options, NULL), 0));
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

static void open_checked(void)
{
    open_with(UINT64_MAX - 40, LAM_EVENT_CRC32C);
}

static void close_channel(void)
{
    channel_close(&channel);
}

static int receive(void)
{
    return lam_framed_receiver_try_receive(&channel.receiver, &message);
}

static void release(void)
{
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
}

/* Flip a bit of the byte at @offset of the event at @sequence, header included. */
static void damage(uint64_t sequence, uint64_t offset)
{
    struct lam_ring *ring = &channel.ring;

    ring->cells[((sequence & ring->cell_mask) << ring->cell_shift) + offset] ^= 0x10;
}

static void expect_loss(uint64_t id, uint64_t total_bytes)
{
    struct lam_framed_loss loss;

    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.id, id));
    cr_assert(eq(u64, loss.total_bytes, total_bytes));
    cr_assert(eq(u64, loss.event_count, 0));
}

TestSuite(extensions, .timeout = 20);
TestSuite(checked, .init = open_checked, .fini = close_channel, .timeout = 20);

/* Send message @number of @bytes in place or in frames, while receiving; it is received. */
static void send_and_receive(
    uint64_t number, uint64_t bytes, const struct lam_framed_correlation *correlation)
{
    static uint8_t content[5000];
    struct iovec part = {content, bytes};
    int rc = 0;

    known_fill(content, number, 0, bytes);
    if (lam_framed_sender_try_send(
            &channel.sender, &part, 1, (uint16_t)(number & 0x7fff), correlation) == 1) {
        cr_assert(eq(int, receive(), 1));
        return;
    }
    cr_assert(eq(int,
        lam_framed_sender_open_stream(
            &channel.sender, bytes, (uint16_t)(number & 0x7fff), correlation),
        0));
    while (rc == 0) {
        while (lam_framed_sender_is_streaming(&channel.sender))
            if (known_try_piece(&channel.sender, number) != 1)
                break;
        rc = receive();
    }
    cr_assert(eq(int, rc, 1));
}

Test(extensions, arrive_in_every_set_and_at_every_size)
{
    static const uint64_t firsts[] = {0, UINT32_MAX - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 3};

    for (unsigned set = 0; set < 8; set++) {
        struct lam_framed_correlation correlation = {.id = set, .scope = 17};
        uint64_t before_ns, after_ns;

        open_with(firsts[set % 4], (uint16_t)(set & CHOICE));
        for (uint64_t bytes = 1; bytes < 3000; bytes += bytes < 600 ? 7 : 211) {
            before_ns = lam_clock_now_ns();
            send_and_receive(bytes, bytes, (set & 1) != 0 ? &correlation : NULL);
            after_ns = lam_clock_now_ns();
            cr_assert(known_is(&message, bytes, bytes), "%u at %d", set, (int)bytes);
            cr_assert(eq(int, message.flags, (int)set));
            cr_assert(eq(int, message.correlation != NULL, (int)(set & 1)));
            if (message.correlation != NULL)
                cr_assert(eq(u64, message.correlation->id, set));
            if ((set & LAM_EVENT_TIMESTAMP) != 0)
                cr_assert(message.published_ns >= before_ns && message.published_ns <= after_ns);
            release();
        }
        close_channel();
    }
}

Test(extensions, are_not_there_unless_asked_for)
{
    struct lam_event event;
    void *payload;

    channel_open(&channel, 16);
    cr_assert(eq(int, known_try_send(&channel.sender, 1, 48), 1));
    cr_assert(eq(int, lam_framed_sender_try_claim(&channel.sender, 48, &payload), 1));
    lam_framed_sender_commit(&channel.sender, 48, 1);
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, lam_ring_consumer_try_peek(&channel.receiver.consumer, &event), 1));
        cr_assert(eq(int, event.flags, 0));
        cr_assert(eq(u64, event.end - event.sequence, 1)); /* one cell: 16 and 48 bytes */
    }
    close_channel();
}

Test(extensions, of_a_claim_are_what_that_one_asks_for)
{
    for (uint16_t extensions = 0; extensions < 8; extensions = (uint16_t)(extensions + 2)) {
        void *payload;

        open_with(0, 0);
        cr_assert(eq(int,
            lam_framed_sender_try_claim_extended(&channel.sender, 100, NULL, extensions, &payload),
            1));
        known_fill(payload, 5, 0, 60);
        lam_framed_sender_commit(&channel.sender, 60, 5); /* shorter than the claim */
        cr_assert(eq(int, known_try_send(&channel.sender, 6, 60), 1));
        cr_assert(eq(int, receive(), 1));
        cr_assert(known_is(&message, 5, 60));
        cr_assert(eq(int, message.flags, extensions));
        cr_assert(eq(int, receive(), 1));
        cr_assert(known_is(&message, 6, 60));
        cr_assert(eq(int, message.flags, 0));
        close_channel();
    }
}

Test(extensions, of_batches_are_written_when_all_is_there)
{
    struct lam_framed_correlation correlation = {.id = 9};
    struct lam_framed_batch batch;
    uint64_t before_ns = lam_clock_now_ns();

    open_with(UINT64_MAX - 5, 0);
    cr_assert(
        eq(int, lam_framed_sender_try_claim_batch(&channel.sender, 4, 100 + 3 * 16, &batch), 1));
    for (uint64_t number = 0; number < 4; number++) {
        void *payload;

        cr_assert(eq(int,
            lam_framed_batch_stage_extended(&batch, 25 * (number + 1), (uint16_t)number,
                number == 2 ? &correlation : NULL, number == 3 ? 0 : CHOICE, &payload),
            1));
        known_fill(payload, number, 0, 25 * (number + 1));
    }
    lam_framed_batch_commit_extended(&batch);
    for (uint64_t number = 0; number < 4; number++) {
        cr_assert(eq(int, receive(), 1));
        cr_assert(known_is(&message, number, 25 * (number + 1)));
        cr_assert(eq(int, message.flags, number == 3 ? 0 : CHOICE | (number == 2)));
        if (number != 3)
            cr_assert(message.published_ns >= before_ns);
    }
    release();
    close_channel();
}

Test(extensions, of_other_kinds_are_refused)
{
    struct lam_framed_sender_options options = {.extensions = LAM_EVENT_CORRELATION};
    struct lam_framed_sender sender;
    struct lam_error error;

    channel_open(&channel, 16);
    cr_assert(eq(int, lam_framed_sender_attach(&sender, &channel.ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "extensions"), NULL));
    close_channel();
}

Test(extensions, with_a_time_fill_the_receivers_histogram)
{
    struct lam_ring_options options = {.name = "framed-test", .depth = 16, .histograms = 1};
    struct lam_framed_sender_options sender_options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .extensions = LAM_EVENT_TIMESTAMP};
    const struct lam_histogram *latency;
    uint64_t latency_ns;

    cr_assert(eq(int, lam_ring_create(&channel.ring, &options, NULL), 0));
    cr_assert(eq(
        int, lam_framed_sender_attach(&channel.sender, &channel.ring, &sender_options, NULL), 0));
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    latency = lam_ring_latency(&channel.ring, channel.receiver.consumer.index);
    cr_assert(eq(int, lam_histogram_quantile(latency, 500, &latency_ns), -ENODATA));
    send_and_receive(1, 100, NULL);
    release();
    send_and_receive(1, 1000, NULL);
    release();
    cr_assert(eq(int, lam_histogram_quantile(latency, 500, &latency_ns), 0));
    close_channel();
}

Test(checked, a_damaged_message_is_told_once_and_the_next_is_intact)
{
    /* Any byte behind the stamp: length, kind and flags, checksum, payload. */
    for (uint64_t offset = 12; offset < 16 + 16 + 100; offset++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);
        static uint8_t content[100];
        struct iovec part = {content, sizeof(content)};

        if (offset >= 16 + 4 && offset < 16 + 16)
            continue; /* zeroes behind the checksum, which nothing looks at */
        known_fill(content, 3, 0, sizeof(content));
        cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 3, NULL), 1));
        damage(id, offset);
        cr_assert(eq(int, receive(), -EBADMSG), "offset %d", (int)offset);
        expect_loss(id, 100);
        cr_assert(eq(int, receive(), 0));
        send_and_receive(4, 100, NULL);
        cr_assert(known_is(&message, 4, 100));
        release();
    }
}

/* Message of 3 frames, of which number @which is damaged at @offset. */
static void damage_frame(unsigned which, uint64_t offset)
{
    uint64_t starts[4];
    uint64_t id = lam_framed_sender_next_id(&channel.sender);
    unsigned count = 0;

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 500, 3, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender)) {
        starts[count++] = lam_framed_sender_next_id(&channel.sender);
        cr_assert(eq(int, known_try_piece(&channel.sender, 3), 1));
    }
    cr_assert(eq(int, count, 3));
    damage(starts[which], offset);
    cr_assert(eq(int, receive(), -EBADMSG), "frame %u at %d", which, (int)offset);
    expect_loss(id, which == 0 ? 0 : 500);
    cr_assert(eq(int, receive(), 0));
}

Test(checked, a_damaged_frame_costs_its_message_and_the_next_is_intact)
{
    for (unsigned which = 0; which < 3; which++)
        for (uint64_t offset = 32; offset < 32 + 32 + 20; offset += 3) {
            damage_frame(which, offset); /* its header, and some of the piece */
            send_and_receive(4, offset % 2 == 0 ? 600 : 60, NULL);
            cr_assert(known_is(&message, 4, offset % 2 == 0 ? 600 : 60));
            release();
        }
}

Test(checked, damaged_messages_in_a_row_do_not_hold_the_sender)
{
    static uint8_t content[50];
    struct iovec part = {content, sizeof(content)};

    for (int i = 0; i < 100; i++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);

        cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 3, NULL), 1));
        damage(id, 50);
        cr_assert(eq(int, receive(), -EBADMSG));
        cr_assert(eq(int, receive(), 0));
    }
}

Test(checked, what_is_held_is_released_before_a_damaged_message_is_told)
{
    uint64_t id = lam_framed_sender_next_id(&channel.sender);
    static uint8_t content[50];
    struct iovec part = {content, sizeof(content)};
    struct lam_framed_message held;

    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 3, NULL), 1));
    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 3, NULL), 1));
    damage(id + 2, 40);
    cr_assert(eq(int, receive(), 1));
    held = message;
    cr_assert(eq(int, receive(), -EBUSY));
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &held), 0));
    cr_assert(eq(int, receive(), -EBADMSG));
    expect_loss(id + 2, 50);
    send_and_receive(4, 60, NULL);
    release();
}

Test(checked, a_message_that_lost_its_checksum_is_damaged_where_all_have_one)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .is_checked = 1};

    lam_framed_receiver_detach(&channel.receiver);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
    send_and_receive(4, 60, NULL);
    release();
    cr_assert(eq(int, known_try_send(&channel.sender, 5, 60), 1)); /* plain */
    cr_assert(eq(int, receive(), -EBADMSG));
    send_and_receive(4, 600, NULL);
    release();
}

Test(checked, a_cut_message_carries_its_checksum_to_the_end)
{
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 5000, 3, NULL), 0));
    cr_assert(eq(int, known_try_piece(&channel.sender, 3), 1));
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive(), -ECANCELED));
    send_and_receive(4, 600, NULL);
    release();
    /* And the cut itself may be damaged. */
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 5000, 3, NULL), 0));
    cr_assert(eq(int, known_try_piece(&channel.sender, 3), 1));
    lam_framed_sender_cancel_stream(&channel.sender);
    damage(lam_framed_sender_next_id(&channel.sender) - 1, 50);
    cr_assert(eq(int, receive(), -EBADMSG));
    send_and_receive(4, 600, NULL);
    release();
}
