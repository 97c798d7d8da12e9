/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: between attach and detach nothing is allocated, whatever is sent and received.
 * Method: this program's own malloc, calloc, realloc and free count their calls; glibc's do the
 * work. That they count is shown by the calls of attach.
 */
#include <stdio.h>

#include "channel.h"

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void __libc_free(void *memory);

static unsigned long call_count;

void *malloc(size_t bytes)
{
    call_count++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    call_count++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    call_count++;
    return __libc_realloc(memory, bytes);
}

void free(void *memory)
{
    call_count++;
    __libc_free(memory);
}

/* With extensions, in batches, taken, through the copy of a receiver that makes one. */
static int use_extended(struct channel *channel)
{
    static uint8_t memory[1000];
    struct lam_framed_message messages[4];
    struct lam_framed_batch batch;
    void *payload;

    for (int i = 0; i < 100; i++) {
        if (lam_framed_sender_try_claim_extended(
                &channel->sender, 50, NULL, LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C, &payload) != 1)
            return 0;
        lam_framed_sender_commit(&channel->sender, 50, 1);
        if (lam_framed_receiver_try_take(
                &channel->receiver, memory, sizeof(memory), &messages[0]) != 1)
            return 0;
        if (lam_framed_sender_try_claim_batch(&channel->sender, 2, 60, &batch) != 1 ||
            lam_framed_batch_stage_extended(&batch, 20, 1, NULL, LAM_EVENT_CRC32C, &payload) != 1)
            return 0;
        lam_framed_batch_commit_extended(&batch);
        if (lam_framed_receiver_try_receive_batch(&channel->receiver, messages, 4) != 1 ||
            lam_framed_receiver_release(&channel->receiver, &messages[0]) != 0)
            return 0;
    }
    return 1;
}

/* In place, in frames, correlated, cancelled, timed out. */
static int use(struct channel *channel)
{
    struct lam_framed_correlation correlation = {.id = 1};
    static uint8_t bytes[4000];
    struct iovec part = {bytes, 100};
    struct lam_framed_message message = {.payload = NULL};

    for (uint64_t number = 0; number < 2000; number++)
        if (known_round(channel, number, number % 700) != 1)
            return 0;
    if (lam_framed_sender_try_send(&channel->sender, &part, 1, 1, &correlation) != 1 ||
        lam_framed_receiver_receive_until(&channel->receiver, soon(), &message) != 0)
        return 0;
    lam_framed_receiver_release(&channel->receiver, &message);
    part.iov_len = sizeof(bytes);
    return lam_framed_sender_send_until(&channel->sender, &part, 1, 1, NULL, 0) == -ETIMEDOUT &&
           lam_framed_receiver_try_receive(&channel->receiver, &message) == -ECANCELED &&
           lam_framed_receiver_receive_until(&channel->receiver, 0, &message) == -ETIMEDOUT;
}

/* One of many senders, and a receiver that copies, and puts several messages together. */
static int use_many(struct lam_framed_many *sender, struct lam_framed_receiver *receiver)
{
    static uint8_t bytes[900], memory[1000];
    struct iovec part = {bytes, sizeof(bytes)};
    struct lam_framed_message message;

    for (int i = 0; i < 100; i++) {
        part.iov_len = i % 2 == 0 ? 100 : sizeof(bytes);
        if (lam_framed_many_send_until(sender, &part, 1, 1, NULL, soon()) != 0 ||
            lam_framed_receiver_take_until(receiver, soon(), memory, sizeof(memory), &message) != 0)
            return 0;
    }
    return 1;
}

/* Returns how many calls there were between attach and detach; -1: it did not work. */
static long calls_of_many(void)
{
    struct lam_ring_options options = {
        .name = "framed-test", .depth = 32, .producers = LAM_RING_MANY_PRODUCERS};
    struct lam_framed_many_options sender_options = {.message_bytes_max = 1000};
    struct lam_framed_receiver_options receiver_options = {
        .message_bytes_max = 1000, .streams_max = 4, .copies = 1};
    static struct lam_framed_receiver receiver;
    static struct lam_framed_many sender;
    static struct lam_ring ring;
    unsigned long before;
    long calls;

    if (lam_ring_create(&ring, &options, NULL) != 0 ||
        lam_framed_many_attach(&sender, &ring, &sender_options, NULL) != 0 ||
        lam_framed_receiver_attach(&receiver, &ring, &receiver_options, NULL) != 0)
        return -1;
    before = call_count;
    calls = use_many(&sender, &receiver) ? (long)(call_count - before) : -1;
    lam_framed_receiver_detach(&receiver);
    lam_framed_many_detach(&sender);
    (void)lam_ring_destroy(&ring);
    return calls;
}

int main(void)
{
    static struct channel channel;
    unsigned long before, after;
    int ok;

    channel_open(&channel, 16);
    before = call_count;
    ok = use(&channel) && use_extended(&channel);
    after = call_count;
    channel_close(&channel);
    (void)printf("%lu calls by attach, %lu on the data path\n", before, after - before);
    return !ok || before < 2 || after != before || calls_of_many() != 0;
}
