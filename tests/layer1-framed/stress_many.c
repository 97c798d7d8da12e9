/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: three senders in threads of their own send messages of all sizes into one channel, and two
 * receivers, one that lends and one that copies, see each sender's messages whole and in order.
 * Method: under ThreadSanitizer, with senders and receivers that sleep, and that spin.
 */
#include <pthread.h>

#include "channel.h"
#include "starts.h"

#define SENDERS   3
#define RECEIVERS 2
#define BYTES_MAX 6000

static struct lam_ring ring;
static uint64_t message_count; /* of each sender */
static lam_atomic_u32 failures;

static void fail(const char *what, unsigned who, uint64_t number, int rc)
{
    (void)fprintf(
        stderr, "%s: sender %u, message %llu: %d\n", what, who, (unsigned long long)number, rc);
    lam_store_release(&failures, 1);
}

static uint64_t size_of(unsigned who, uint64_t number)
{
    return (number + who) % 3 == 0 ? number * 211 % BYTES_MAX : number * 31 % 500;
}

struct sender {
    struct lam_framed_many end;
    unsigned who;
    uint8_t bytes[BYTES_MAX];
};

static void *run_sender(void *arg)
{
    struct sender *sender = arg;

    for (uint64_t number = 0; number < message_count; number++) {
        struct lam_framed_correlation correlation = {.id = number, .scope = sender->who};
        struct iovec part = {sender->bytes, size_of(sender->who, number)};
        int rc;

        known_fill(sender->bytes, number + sender->who, 0, part.iov_len);
        rc = lam_framed_many_send_until(&sender->end, &part, 1,
            (uint16_t)((number + sender->who) & 0x7fff), &correlation,
            lam_deadline_after_ns(30 * LAM_NS_PER_S));
        if (rc != 0) {
            fail("send", sender->who, number, rc);
            break;
        }
    }
    lam_framed_many_close(&sender->end);
    return NULL;
}

static void *run_receiver(void *arg)
{
    struct lam_framed_receiver *receiver = arg;
    struct lam_framed_message message;
    uint64_t next[SENDERS] = {0};
    int rc;

    while ((rc = lam_framed_receiver_receive_until(
                receiver, lam_deadline_after_ns(30 * LAM_NS_PER_S), &message)) == 0) {
        unsigned who = (unsigned)message.correlation->scope;

        if (who >= SENDERS || message.correlation->id != next[who] ||
            !known_is(&message, next[who] + who, size_of(who, next[who]))) {
            fail("receive", who, message.correlation->id, 0);
            break;
        }
        next[who]++;
        (void)lam_framed_receiver_release(receiver, &message);
    }
    for (unsigned who = 0; who < SENDERS; who++)
        if (rc != -EPIPE || next[who] != message_count)
            fail("end", who, next[who], rc);
    return NULL;
}

static void run(enum lam_wait_mode wait)
{
    static struct lam_framed_receiver receivers[RECEIVERS];
    static struct sender senders[SENDERS];
    struct lam_framed_many_options options = {
        .producer.wait = wait, .message_bytes_max = BYTES_MAX, .extensions = LAM_EVENT_CRC32C};
    struct lam_framed_receiver_options receiver_options = {
        .consumer.wait = wait, .message_bytes_max = BYTES_MAX, .streams_max = SENDERS};
    struct lam_ring_options ring_options = {.name = "framed-many",
        .depth = 64,
        .first_sequence = test_next_start(),
        .producers = LAM_RING_MANY_PRODUCERS};
    pthread_t threads[SENDERS + RECEIVERS];

    if (lam_ring_create(&ring, &ring_options, NULL) != 0)
        abort();
    for (unsigned i = 0; i < RECEIVERS; i++) {
        receiver_options.copies = i;
        if (lam_framed_receiver_attach(&receivers[i], &ring, &receiver_options, NULL) != 0 ||
            pthread_create(&threads[SENDERS + i], NULL, run_receiver, &receivers[i]) != 0)
            abort();
    }
    /* All are there before one can close. */
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i].who = i;
        if (lam_framed_many_attach(&senders[i].end, &ring, &options, NULL) != 0)
            abort();
    }
    for (unsigned i = 0; i < SENDERS; i++)
        if (pthread_create(&threads[i], NULL, run_sender, &senders[i]) != 0)
            abort();
    for (unsigned i = 0; i < SENDERS + RECEIVERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < RECEIVERS; i++)
        lam_framed_receiver_detach(&receivers[i]);
    for (unsigned i = 0; i < SENDERS; i++)
        lam_framed_many_detach(&senders[i].end);
    (void)lam_ring_destroy(&ring);
}

int main(void)
{
    message_count = 1000 * effort();
    run(LAM_WAIT_HYBRID);
    run(LAM_WAIT_FUTEX);
    return lam_load_relaxed(&failures) != 0;
}
