/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into the caller's memory, and several in one call. */
#include "lamina/framed/take.h"

#include <errno.h>
#include <string.h>

#include "assemble.h"

static void begin(struct lam_framed_receiver *receiver, void *buffer, uint64_t capacity)
{
    receiver->into = buffer;
    receiver->into_bytes = buffer != NULL ? capacity : 0;
}

/* Behind a receive: to where the caller wants it. */
static int finish(struct lam_framed_receiver *receiver, void *buffer, uint64_t capacity, int rc,
    struct lam_framed_message *message)
{
    receiver->into = NULL;
    if (rc != 1)
        return rc;
    if (message->payload_bytes > capacity) {
        receiver->kept = *message;
        receiver->state |= STATE_KEPT;
        message->payload = NULL;
        return -ENOSPC;
    }
    if (message->correlation != NULL) {
        receiver->taken = *message->correlation;
        message->correlation = &receiver->taken;
    }
    /* Its extensions may lie at the start of the same memory. */
    if (message->payload_bytes > 0 && message->payload != buffer) {
        LAM_ASSERT(message->payload != NULL);
        memmove(buffer, message->payload, message->payload_bytes);
    }
    message->payload = buffer;
    LAM_CRASH_POINT("take.copied");
    rc = lam_framed_receiver_release(receiver, message);
    return rc == 0 ? 1 : rc;
}

int lam_framed_receiver_try_take(struct lam_framed_receiver *receiver, void *buffer,
    uint64_t capacity, struct lam_framed_message *message)
{
    int rc;

    LAM_ASSERT(buffer != NULL || capacity == 0);
    begin(receiver, buffer, capacity);
    rc = lam_framed_receiver_try_receive(receiver, message);
    return finish(receiver, buffer, capacity, rc, message);
}

int lam_framed_receiver_take_until(struct lam_framed_receiver *receiver, uint64_t deadline_ns,
    void *buffer, uint64_t capacity, struct lam_framed_message *message)
{
    int rc;

    LAM_ASSERT(buffer != NULL || capacity == 0);
    begin(receiver, buffer, capacity);
    rc = lam_framed_receiver_receive_until(receiver, deadline_ns, message);
    rc = finish(receiver, buffer, capacity, rc == 0 ? 1 : rc, message);
    return rc == 1 ? 0 : rc;
}

/* Behind the first @count_had messages: those that are there, too. */
static int go_on(struct lam_framed_receiver *receiver, struct lam_framed_message *messages,
    uint32_t count_had, uint32_t count)
{
    uint32_t taken = count_had;
    int rc = 1;

    while (taken < count && rc == 1) {
        rc = lam_framed_receiver_try_receive(receiver, &messages[taken]);
        taken += rc == 1;
    }
    if (rc >= 0 || taken == 0)
        return taken != 0 ? (int)taken : rc;
    if (rc != -EBUSY) {
        receiver->deferred = rc;
        receiver->state |= STATE_DEFERRED;
    }
    return (int)taken;
}

int lam_framed_receiver_try_receive_batch(
    struct lam_framed_receiver *receiver, struct lam_framed_message *messages, uint32_t count)
{
    LAM_ASSERT(count > 0 && count <= INT32_MAX);
    return go_on(receiver, messages, 0, count);
}

int lam_framed_receiver_receive_batch_until(struct lam_framed_receiver *receiver,
    uint64_t deadline_ns, struct lam_framed_message *messages, uint32_t count)
{
    int rc;

    LAM_ASSERT(count > 0 && count <= INT32_MAX);
    rc = lam_framed_receiver_receive_until(receiver, deadline_ns, &messages[0]);
    return rc != 0 ? rc : go_on(receiver, messages, 1, count);
}
