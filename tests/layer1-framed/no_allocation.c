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

int main(void)
{
    static struct channel channel;
    unsigned long before, after;
    int ok;

    channel_open(&channel, 16);
    before = call_count;
    ok = use(&channel);
    after = call_count;
    channel_close(&channel);
    (void)printf("%lu calls by attach, %lu on the data path\n", before, after - before);
    return !ok || before < 2 || after != before;
}
