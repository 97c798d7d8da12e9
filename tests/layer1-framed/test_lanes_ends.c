/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: how a lane ends is told for that lane, the others go on, and the stream of all ends when
 * all have ended and everything was taken.
 * Method: one thread holds both ends; senders of single lanes are put in the place of the one of
 * all; a sleep in a wait has no end of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lanes.h"

static struct three three;
static struct lam_framed_message message;
static enum lam_lane lane;
static struct lam_base_ops ops;
static void (*on_sleep)(void);
static unsigned sleeps;

static void endless_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    void (*now)(void) = on_sleep;

    sleeps++;
    on_sleep = NULL;
    if (now == NULL) {
        lam_base_linux.futex_wait_any(words, expected, count, deadline_ns);
        return;
    }
    now();
    lam_base_linux.futex_wait_any(words, expected, count, LAM_DEADLINE_NEVER);
}

static void open_three(void)
{
    struct three_options options = {.depth = 64,
        .first_sequence = UINT64_MAX - 5,
        .sender.sender.message_bytes_max = 100000,
        .receiver = {.receiver = {.consumer.wait = LAM_WAIT_FUTEX, .message_bytes_max = 20000}}};

    ops = lam_base_linux;
    ops.futex_wait_any = endless_futex_wait_any;
    lam_base = &ops;
    three_open(&three, &options);
}

static void close_three(void)
{
    three_close(&three);
    lam_base = &lam_base_linux;
}

TestSuite(lanes_ends, .init = open_three, .fini = close_three, .timeout = 20);

static int try_receive(void)
{
    return lam_lanes_receiver_try_receive(&three.receiver, &message, &lane);
}

static int receive_until(uint64_t deadline_ns)
{
    return lam_lanes_receiver_receive_until(&three.receiver, deadline_ns, &message, &lane);
}

/* Ask as often as it takes to see that a peer has died, or else nothing came. */
static int receive_soon(void)
{
    return receive_until(lam_deadline_after_ns(50 * LAM_NS_PER_MS));
}

static void send_each(int count)
{
    for (int i = 0; i < count; i++)
        for (int at = 0; at < LAM_LANE_COUNT; at++)
            cr_assert(eq(int, three_send(&three, (enum lam_lane)at), 1));
}

static void detach_one(enum lam_lane at)
{
    lam_framed_sender_detach(&three.sender.lanes[at]);
}

static void attach_one(enum lam_lane at)
{
    struct lam_error error = {""};

    cr_assert(
        eq(int,
            lam_framed_sender_attach(&three.sender.lanes[at], &three.lanes.rings[at], NULL, &error),
            0),
        "%s", error.text);
}

Test(lanes_ends, closed_lanes_end_when_everything_was_taken)
{
    send_each(3);
    lam_lanes_sender_close(&three.sender);
    for (int i = 0; i < 9; i++)
        cr_assert(eq(int, three_receive(&three), i / 3));
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, try_receive(), -EPIPE));
        cr_assert(eq(int, (int)lane, LAM_LANE_COUNT));
    }
    cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), -EPIPE));
}

Test(lanes_ends, a_lane_that_is_closed_alone_ends_nothing)
{
    send_each(1);
    lam_framed_sender_close(&three.sender.lanes[LAM_LANE_HIGH]);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, three_receive(&three), i));
    cr_assert(eq(int, try_receive(), 0));
    cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_HIGH), -EPIPE));
    cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_LOW), 0));
    cr_assert(eq(int, receive_soon(), -ETIMEDOUT));
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_LOW));
}

Test(lanes_ends, a_death_in_one_lane_is_told_once_and_a_successor_goes_on)
{
    for (int round = 0; round < 3; round++) {
        send_each(1);
        detach_one(LAM_LANE_HIGH);
        for (int i = 0; i < 3; i++)
            cr_assert(eq(int, three_receive(&three), i));
        cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
        cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
        cr_assert(eq(int, receive_soon(), -ETIMEDOUT));
        cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_HIGH), -EOWNERDEAD));
        cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_CRITICAL));
        attach_one(LAM_LANE_HIGH);
        cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_HIGH));
        cr_assert(eq(int, try_receive(), 0));
        cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_HIGH), 0));
    }
}

static void successor_sends(void)
{
    attach_one(LAM_LANE_LOW);
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
}

Test(lanes_ends, a_successor_in_a_dead_lane_wakes_who_sleeps_on_the_others)
{
    detach_one(LAM_LANE_LOW);
    cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
    on_sleep = successor_sends;
    cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
    cr_assert(lt(u32, 0, sleeps));
}

static enum lam_lane to_send;

static void send_one(void)
{
    cr_assert(eq(int, three_send(&three, to_send), 1));
}

Test(lanes_ends, one_sleep_is_woken_by_each_lane)
{
    for (int i = 0; i < 30; i++) {
        to_send = (enum lam_lane)(i % LAM_LANE_COUNT);
        on_sleep = send_one;
        cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), 0));
        cr_assert(eq(int, three_take(&three, &message, lane), (int)to_send));
    }
    cr_assert(le(u32, 30, sleeps));
}

static void close_all(void)
{
    lam_lanes_sender_close(&three.sender);
}

Test(lanes_ends, a_sleeper_is_woken_by_the_close_of_all)
{
    on_sleep = close_all;
    cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), -EPIPE));
    cr_assert(eq(int, (int)lane, LAM_LANE_COUNT));
}

Test(lanes_ends, the_death_of_all_is_told_when_everything_was_taken_and_a_successor_goes_on)
{
    send_each(2);
    lam_lanes_sender_detach(&three.sender);
    for (int i = 0; i < 6; i++)
        cr_assert(eq(int, three_receive(&three), i / 2));
    cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
    /* Its locks go one after another: some lanes may be told alone. */
    while (lane != LAM_LANE_COUNT)
        cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
    cr_assert(eq(int, try_receive(), -EOWNERDEAD));
    cr_assert(eq(int, lam_lanes_sender_attach(&three.sender, &three.lanes, NULL, NULL), 0));
    send_each(1);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, three_receive(&three), i));
    cr_assert(eq(int, try_receive(), 0));
}

/* A frame that is no frame, or an event that no ring can hold. */
static void send_impossible(enum lam_lane at, int is_frame)
{
    struct lam_ring_producer *producer = &three.sender.lanes[at].producer;
    struct lam_event_header *header = lam_ring_producer_cell(producer, producer->next);
    void *payload;

    cr_assert(eq(int, lam_ring_producer_try_claim(producer, 16, &payload), 1));
    memset(payload, 0, 16);
    lam_ring_producer_commit(producer, 16, is_frame ? LAM_FRAMED_KIND_FRAME : 1, 0);
    if (!is_frame)
        lam_store_relaxed(&header->shape, UINT32_MAX - 7);
}

static void check_poison(enum lam_lane bad, enum lam_lane good, enum lam_lane other)
{
    cr_assert(eq(int, three_send(&three, good), 1));
    cr_assert(eq(int, three_receive(&three), (int)good));
    cr_assert(eq(int, try_receive(), -ENOTRECOVERABLE));
    cr_assert(eq(int, (int)lane, (int)bad));
    for (int i = 0; i < 20; i++) {
        enum lam_lane at = i % 2 == 0 ? good : other;

        cr_assert(eq(int, three_send(&three, at), 1));
        cr_assert(eq(int, three_receive(&three), (int)at));
        cr_assert(eq(int, receive_until(0), -ETIMEDOUT));
    }
    to_send = good;
    on_sleep = send_one;
    cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, three_take(&three, &message, lane), (int)good));
    lam_lanes_sender_close(&three.sender);
    cr_assert(eq(int, try_receive(), -ENOTRECOVERABLE));
    cr_assert(eq(int, (int)lane, LAM_LANE_COUNT));
}

Test(lanes_ends, poison_in_one_lane_is_told_once_and_the_others_go_on)
{
    for (int i = 0; i < 2 * LAM_LANE_COUNT; i++) {
        enum lam_lane bad = (enum lam_lane)(i % LAM_LANE_COUNT);

        send_impossible(bad, i % 2);
        check_poison(bad, (enum lam_lane)((i + 1) % LAM_LANE_COUNT),
            (enum lam_lane)((i + 2) % LAM_LANE_COUNT));
        close_three();
        open_three();
    }
}

Test(lanes_ends, a_second_death_in_a_lane_is_news_again)
{
    for (int i = 0; i < 3; i++) {
        detach_one(LAM_LANE_HIGH);
        cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
        cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
        attach_one(LAM_LANE_HIGH);
        /* Taken without a look at ends. */
        cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_HIGH));
    }
}

/* Its sender is found dead, and just before that it sent in another lane, that had nothing. */
static int late_message_lock_probe(int fd, uint64_t byte)
{
    if (fd == three.lanes.rings[LAM_LANE_HIGH].control.fd && three.sent[LAM_LANE_CRITICAL] == 0)
        cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
    return lam_base_linux.lock_probe(fd, byte);
}

Test(lanes_ends, what_was_sent_before_an_end_is_taken_before_it_is_told)
{
    uint64_t end_ns = three_soon();
    int rc = 0;

    detach_one(LAM_LANE_HIGH);
    ops.lock_probe = late_message_lock_probe;
    while (rc == 0) {
        rc = try_receive();
        cr_assert(lt(u64, lam_clock_now_ns(), end_ns));
    }
    cr_assert(eq(int, rc, 1));
    cr_assert(eq(int, three_take(&three, &message, lane), LAM_LANE_CRITICAL));
    cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
    cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
}

Test(lanes_ends, a_message_behind_a_loss_is_still_the_first)
{
    struct lam_framed_sender *sender = &three.sender.lanes[LAM_LANE_CRITICAL];
    uint64_t piece_bytes;
    void *piece;

    cr_assert(eq(int, lam_framed_sender_open_stream(sender, 15000, 3, NULL), 0));
    cr_assert(eq(int, lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes), 1));
    memset(piece, 1, piece_bytes);
    lam_framed_sender_commit_piece(sender, piece_bytes);
    cr_assert(eq(int, try_receive(), 0));
    detach_one(LAM_LANE_CRITICAL);
    attach_one(LAM_LANE_CRITICAL);
    cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
    cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
    /* It was looked at to find the loss, and its stamp is behind us. */
    cr_assert(eq(int, try_receive(), -EOWNERDEAD));
    cr_assert(eq(int, (int)lane, LAM_LANE_CRITICAL));
    for (int i = 0; i < LAM_LANE_COUNT; i++)
        cr_assert(eq(int, three_receive(&three), i));
}

Test(lanes_ends, a_message_cut_short_is_told_with_its_lane_and_its_loss)
{
    struct lam_framed_sender *sender = &three.sender.lanes[LAM_LANE_LOW];
    struct lam_framed_loss loss = {0};
    uint64_t piece_bytes;
    void *piece;

    cr_assert(eq(int, lam_framed_sender_open_stream(sender, 15000, 3, NULL), 0));
    cr_assert(eq(int, lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes), 1));
    memset(piece, 1, piece_bytes);
    lam_framed_sender_commit_piece(sender, piece_bytes);
    cr_assert(eq(int, try_receive(), 0));
    lam_framed_sender_cancel_stream(sender);
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
    cr_assert(eq(int, try_receive(), -ECANCELED));
    cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
    cr_assert(eq(int, lam_lanes_receiver_loss(&three.receiver, LAM_LANE_LOW, &loss), 1));
    cr_assert(eq(u64, loss.total_bytes, 15000));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_LOW));
    /* Larger than the receiver's bound, not than the sender's. */
    cr_assert(eq(int, lam_framed_sender_open_stream(sender, 50000, 3, NULL), 0));
    cr_assert(eq(int, lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes), 1));
    memset(piece, 1, piece_bytes);
    lam_framed_sender_commit_piece(sender, piece_bytes);
    cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_CRITICAL));
    cr_assert(eq(int, try_receive(), -EMSGSIZE));
    cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
    lam_framed_sender_cancel_stream(sender);
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_LOW));
    cr_assert(eq(int, try_receive(), 0));
}

Test(lanes_ends, what_is_held_in_one_lane_is_in_nobody_elses_way)
{
    static uint8_t bytes[8000];
    struct iovec part = {bytes, sizeof(bytes)};
    struct lam_framed_message held;
    enum lam_lane at = LAM_LANE_HIGH;

    cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
    cr_assert(eq(int, try_receive(), 1));
    held = message;
    /* Its first frames come; the rest has no room. */
    cr_assert(eq(int,
        lam_lanes_sender_send_until(
            &three.sender, &at, &part, 1, 1, NULL, lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, try_receive(), -EBUSY));
        cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
        cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
        cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_CRITICAL));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_LOW));
    }
    cr_assert(eq(int, receive_until(LAM_DEADLINE_NEVER), -EBUSY));
    cr_assert(eq(int, three_take(&three, &held, LAM_LANE_HIGH), LAM_LANE_HIGH));
    cr_assert(eq(int, try_receive(), -ECANCELED));
    cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
    cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_HIGH));
}

Test(lanes_ends, a_second_sender_is_refused_and_disturbs_nobody)
{
    struct lam_lanes_sender second;
    struct lam_error error = {""};

    cr_assert(eq(int, lam_lanes_sender_attach(&second, &three.lanes, NULL, &error), -EBUSY));
    lam_lanes_sender_detach(&second);
    send_each(1);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, three_receive(&three), i));
    cr_assert(eq(int, receive_soon(), -ETIMEDOUT));
    /* One lane of three is taken: those that it got are closed again, not dead. */
    detach_one(LAM_LANE_CRITICAL);
    cr_assert(eq(int, receive_soon(), -EOWNERDEAD));
    cr_assert(eq(int, lam_lanes_sender_attach(&second, &three.lanes, NULL, &error), -EBUSY));
    cr_assert(eq(int, receive_soon(), -ETIMEDOUT));
    cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_CRITICAL), -EPIPE));
}

Test(lanes_ends, an_evicted_lane_is_told_and_the_others_go_on)
{
    struct three_options options = {.depth = 64,
        .receiver.receiver.consumer = {
            .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_MS}};
    uint64_t end_ns = three_soon();

    three_close(&three);
    three_open(&three, &options);
    while (three.sent[LAM_LANE_HIGH] < 40) {
        (void)three_send(&three, LAM_LANE_HIGH);
        cr_assert(lt(u64, lam_clock_now_ns(), end_ns));
    }
    cr_assert(eq(int, three_send(&three, LAM_LANE_LOW), 1));
    cr_assert(eq(int, try_receive(), 1));
    cr_assert(eq(int, three_take(&three, &message, lane), LAM_LANE_LOW));
    cr_assert(eq(int, try_receive(), -ESTALE));
    cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
    for (int i = 0; i < 5; i++) {
        cr_assert(eq(int, receive_soon(), -ETIMEDOUT));
        cr_assert(eq(int, three_send(&three, LAM_LANE_CRITICAL), 1));
        cr_assert(eq(int, three_receive(&three), LAM_LANE_CRITICAL));
    }
    cr_assert(eq(
        int, lam_lanes_receiver_readmit(&three.receiver, LAM_LANE_HIGH, LAM_RING_HEAD, NULL), 0));
    cr_assert(eq(int, lam_lanes_receiver_end(&three.receiver, LAM_LANE_HIGH), 0));
    three.received[LAM_LANE_HIGH] = three.sent[LAM_LANE_HIGH];
    cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_HIGH));
}
