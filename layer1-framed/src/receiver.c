/* SPDX-License-Identifier: Apache-2.0 */
/* The rare parts of a receive and of a release. */
#include "lamina/framed/receiver.h"

#include <errno.h>

#include "assemble.h"
#include "frame.h"
#include "lend.h"

/* A wait while something is on its way of one of many senders looks after them so often. */
#define WATCH_NS (8 * LAM_NS_PER_MS)

/*
 * Use the events that are there, a lap from @begin on at most: a sender as fast as we are must not
 * keep a try_ call from returning. Returns as lam_framed_receiver_try_receive().
 */
static int carry_from(
    struct lam_framed_receiver *receiver, uint64_t begin, struct lam_framed_message *message)
{
    struct lam_event event = {.payload = NULL};
    int rc;

    do {
        rc = lam_framed_receiver_look_for_orphans(receiver);
        if (rc != 0)
            return rc;
        rc = lam_framed_receiver_fetch(receiver, &event);
        if (rc != 1)
            return lam_framed_receiver_ended(receiver, rc);
        rc = lam_framed_receiver_use(receiver, &event, message);
    } while (rc == 0 && event.end - begin < receiver->consumer.ring->depth);
    return rc;
}

static int carry(struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    return carry_from(receiver, receiver->released, message);
}

int lam_framed_receiver_proceed(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    int rc;

    if ((receiver->state & STATE_DEFERRED) != 0) {
        receiver->state &= ~(uint32_t)STATE_DEFERRED;
        return receiver->deferred;
    }
    receiver->state &= ~(uint32_t)STATE_LOSS;
    if ((receiver->state & STATE_POISONED) != 0)
        return -ENOTRECOVERABLE;
    if ((receiver->state & STATE_KEPT) != 0) {
        receiver->state &= ~(uint32_t)STATE_KEPT;
        *message = receiver->kept;
        return 1;
    }
    rc = lam_framed_receiver_tell_cut(receiver);
    return rc != 0 ? rc : carry(receiver, message);
}

/* A message in place whose extensions say what they should. */
static int is_as_sent(const struct lam_event *event)
{
    return (event->flags & ~FLAGS_OF_EXTENSIONS) == 0 && event->kind < LAM_EVENT_KIND_RESERVED &&
           event->payload_bytes >= lam_event_extension_bytes(event->flags) &&
           ((event->flags & LAM_EVENT_CRC32C) == 0 || lam_event_crc_is_right(event));
}

int lam_framed_receiver_unwrap(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    uint64_t begin = receiver->released;
    int rc;

    if (receiver->state == 0 && is_as_sent(event))
        return lam_framed_receiver_lend_event(receiver, event, message);
    /* At once: nothing is on its way, so nobody's end comes before it. */
    rc = lam_framed_receiver_use(receiver, event, message);
    return rc != 0 || event->end - begin >= receiver->consumer.ring->depth
               ? rc
               : carry_from(receiver, begin, message);
}

/* Until something came, or until it is time to look after senders. Returns 0 or -errno. */
static int watch_until(struct lam_framed_receiver *receiver, uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns();
    int rc;

    if (!receiver->is_many || (receiver->state & STATE_ASSEMBLING) == 0 ||
        (int64_t)(deadline_ns - now_ns) <= (int64_t)WATCH_NS)
        return lam_ring_consumer_wait_until(&receiver->consumer, deadline_ns);
    rc = lam_ring_consumer_wait_until(&receiver->consumer, now_ns + WATCH_NS);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/* A receiver that is about messages of frames, or copies. */
static int wait_carrying(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message)
{
    for (;;) {
        int end = watch_until(receiver, deadline_ns);
        /* Also behind an error: who is lapped while it waits has not come to the end. */
        int rc = carry(receiver, message);

        if (rc != 0)
            return rc == 1 ? 0 : rc;
        if (end != 0)
            return end;
        /* Events came, and no message: the wait alone would never look at the clock. */
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

/* Behind a try_receive that found nothing: what that one lost is this receive's loss, too. */
int lam_framed_receiver_wait_until(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message)
{
    struct lam_event event = {.payload = NULL};
    int rc;

    if ((receiver->state & (STATE_COPIES | STATE_ASSEMBLING)) != 0)
        return wait_carrying(receiver, deadline_ns, message);
    rc = lam_ring_consumer_peek_until(&receiver->consumer, deadline_ns, &event);
    if (rc != 0)
        return lam_framed_receiver_ended(receiver, rc);
    if (receiver->state == 0 && lam_framed_receiver_is_plain(&event)) {
        lam_framed_receiver_lend(&event, message);
        return 0;
    }
    rc = lam_framed_receiver_unwrap(receiver, &event, message);
    if (rc == 0)
        return wait_carrying(receiver, deadline_ns, message);
    return rc == 1 ? 0 : rc;
}

/* The buffers of all messages up to @end are free. Returns how many were. */
static unsigned free_buffers(struct lam_framed_receiver *receiver, uint64_t end)
{
    unsigned freed = 0;

    for (uint32_t i = 0; i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_LENT &&
            (int64_t)(end - receiver->assemblies[i].end) >= 0) {
            receiver->assemblies[i].phase = PHASE_FREE;
            freed++;
        }
    if ((receiver->state & STATE_SCRATCH) != 0 && (int64_t)(end - receiver->scratch_end) >= 0) {
        receiver->state &= ~(uint32_t)STATE_SCRATCH;
        freed++;
    }
    lam_framed_receiver_update(receiver);
    return freed;
}

void lam_framed_receiver_free(struct lam_framed_receiver *receiver, uint64_t end)
{
    (void)free_buffers(receiver, end);
}

int lam_framed_receiver_release_rarely(struct lam_framed_receiver *receiver, uint64_t end)
{
    unsigned freed = free_buffers(receiver, end);

    /* The cells of what was in a buffer went back as it came. */
    if (freed != 0 && (int64_t)(end - receiver->released) <= 0)
        return 0;
    LAM_ASSERT((int64_t)(end - receiver->released) > 0);
    receiver->released = end;
    return lam_ring_consumer_release_to(&receiver->consumer, end);
}
