/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages of every size, in place and in frames, reach receivers that run beside the sender
 * whole and in order, however they wait; nothing is read while it is written.
 * Method: a sender and three receivers as threads over one mapping, every byte checked. Under
 * ThreadSanitizer a missing order is a report.
 */
#include <pthread.h>
#include <stdio.h>

#include "channel.h"

enum { RECEIVERS = 3, HELD = 4 };

static struct lam_ring ring;
static uint64_t message_count;
static lam_atomic_u32 failures;

static void fail(const char *what, uint64_t number, int rc)
{
    (void)fprintf(stderr, "%s at message %llu: %d\n", what, (unsigned long long)number, rc);
    (void)lam_add_acq_rel(&failures, 1);
}

/* Mostly small, now and then in frames, and larger than the ring. */
static uint64_t size_of(uint64_t number)
{
    if (number % 31 == 7)
        return 2000 + number % 9000;
    return number * 37 % 480;
}

/* Some numbers are begun, given up, and not sent: receivers hear of each. */
static int is_cancelled(uint64_t number)
{
    return number % 97 == 11;
}

static void cancel_one(struct lam_framed_sender *sender, uint64_t number)
{
    uint64_t piece_bytes;
    void *piece;
    int rc = lam_framed_sender_open_stream(sender, 5000, (uint16_t)(number & 0x7fff), NULL);

    if (rc == 0)
        rc = lam_framed_sender_claim_piece_until(sender, soon(), &piece, &piece_bytes);
    if (rc != 0) {
        fail("piece", number, rc);
        return;
    }
    known_fill(piece, number, 0, piece_bytes);
    lam_framed_sender_commit_piece(sender, piece_bytes);
    lam_framed_sender_cancel_stream(sender);
}

static int send_one(struct lam_framed_sender *sender, uint64_t number, uint8_t *bytes)
{
    struct iovec parts[2] = {{bytes, size_of(number) / 3}};

    parts[1].iov_base = bytes + parts[0].iov_len;
    parts[1].iov_len = size_of(number) - parts[0].iov_len;
    known_fill(bytes, number, 0, size_of(number));
    return lam_framed_sender_send_until(sender, parts, 2, (uint16_t)(number & 0x7fff), NULL,
        lam_deadline_after_ns(30 * LAM_NS_PER_S));
}

static void *run_sender(void *arg)
{
    static uint8_t bytes[16384];
    struct lam_framed_sender *sender = arg;

    for (uint64_t number = 0; number < message_count; number++) {
        int rc = 0;

        if (is_cancelled(number))
            cancel_one(sender, number);
        else
            rc = send_one(sender, number, bytes);
        if (rc != 0) {
            fail("send", number, rc);
            break;
        }
    }
    lam_framed_sender_close(sender);
    return NULL;
}

/* Receive what comes next; -EBUSY is answered by a release of what is held. */
static int receive_one(struct lam_framed_receiver *receiver, struct lam_framed_message *message,
    struct lam_framed_message *last, int *held)
{
    uint64_t deadline_ns = lam_deadline_after_ns(30 * LAM_NS_PER_S);
    int rc = lam_framed_receiver_receive_until(receiver, deadline_ns, message);

    if (rc != -EBUSY)
        return rc;
    if (*held == 0)
        return rc;
    lam_framed_receiver_release(receiver, last);
    *held = 0;
    return lam_framed_receiver_receive_until(receiver, deadline_ns, message);
}

static void *run_receiver(void *arg)
{
    struct lam_framed_receiver *receiver = arg;
    struct lam_framed_message message, last = {.payload = NULL};
    uint64_t number;
    int held = 0, rc = 0;

    for (number = 0; number < message_count; number++) {
        rc = receive_one(receiver, &message, &last, &held);
        if (is_cancelled(number) && rc == -ECANCELED) {
            continue;
        } else if (is_cancelled(number) || rc != 0 ||
                   !known_is(&message, number, size_of(number))) {
            fail("receive", number, rc);
            break;
        }
        last = message;
        if (++held == HELD) {
            lam_framed_receiver_release(receiver, &message);
            held = 0;
        }
    }
    if (number == message_count) {
        if (held != 0)
            lam_framed_receiver_release(receiver, &last);
        rc = lam_framed_receiver_receive_until(receiver, soon(), &message);
        if (rc != -EPIPE)
            fail("end", number, rc);
    }
    lam_framed_receiver_detach(receiver);
    return NULL;
}

static void run(enum lam_wait_mode wait)
{
    static struct lam_framed_receiver receivers[RECEIVERS];
    struct lam_framed_sender_options options = {.producer.wait = wait,
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX,
        .extensions = wait == LAM_WAIT_FUTEX ? 0 : LAM_EVENT_CRC32C};
    struct lam_framed_receiver_options receiver_options = {
        .consumer.wait = wait, .message_bytes_max = 16384};
    struct lam_framed_sender sender;
    pthread_t threads[RECEIVERS + 1];

    channel_make_ring(&ring, 64, 0);
    if (lam_framed_sender_attach(&sender, &ring, &options, NULL) != 0)
        abort();
    for (int i = 0; i < RECEIVERS; i++) {
        /* One lends from its buffer, one copies all, one has buffers for two. */
        receiver_options.copies = i == 1;
        receiver_options.streams_max = (uint32_t)i;
        if (lam_framed_receiver_attach(&receivers[i], &ring, &receiver_options, NULL) != 0 ||
            pthread_create(&threads[i], NULL, run_receiver, &receivers[i]) != 0)
            abort();
    }
    if (pthread_create(&threads[RECEIVERS], NULL, run_sender, &sender) != 0)
        abort();
    for (int i = 0; i <= RECEIVERS; i++)
        (void)pthread_join(threads[i], NULL);
    lam_framed_sender_detach(&sender);
    (void)lam_ring_destroy(&ring);
}

int main(int argc, char **argv)
{
    message_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 6000 * effort();
    run(LAM_WAIT_HYBRID);
    run(LAM_WAIT_FUTEX);
    run(LAM_WAIT_YIELD);
    return lam_load_relaxed(&failures) != 0;
}
