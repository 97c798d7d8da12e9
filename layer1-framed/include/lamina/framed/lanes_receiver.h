/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_LANES_RECEIVER_H
#define LAM_FRAMED_LANES_RECEIVER_H

/*
 * lamina/framed/lanes_receiver.h: the end of three lanes that receives, by one call.
 *
 * Framed, layer 1. The most urgent message first, in order within a lane; with turns_max = K a
 * waiting lower lane has its turn at least once per K messages of higher lanes
 * (lamina/framed/lanes_turns.h). A message of frames that is not complete holds no other lane up.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a sender
 * that sleeps, and nothing here allocates once attached.
 */

#include <errno.h>

#include "lamina/framed/lanes.h"
#include "lamina/framed/lanes_turns.h"
#include "lamina/framed/pressure.h"
#include "lamina/framed/receiver.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_lanes_receiver_options {
    struct lam_framed_receiver_options receiver; /* of each lane; its buffer is NULL */
    void *buffers[LAM_LANE_COUNT]; /* each as receiver.buffer would be: NULL, attach allocates it */
    uint64_t turns_max;            /* K; 0: strict order, a lower lane may starve */
};

struct lam_lanes_receiver {
    /* Fields are private. What each message touches comes first. */
    struct lam_lanes_turns turns;
    uint32_t
        restless;    /* bits of lanes to be looked at whatever their stamps say; turns.left is 0 */
    uint32_t ended;  /* bits of lanes whose stream has ended */
    uint32_t untold; /* of those, the ones that are news */
    uint32_t paused; /* bits of lanes that are left alone; turns.left is 0 */
    int ends[LAM_LANE_COUNT];
    uint64_t ends_at[LAM_LANE_COUNT]; /* sequences */
    struct lam_framed_receiver lanes[LAM_LANE_COUNT];
};

/*
 * Join all three lanes, kept until lam_lanes_receiver_detach(). @options may be NULL. On error
 * nothing is joined. @receiver does not move until it is detached.
 *
 * Returns as lam_framed_receiver_attach() of one of them, whose name @error has, or
 *   -EINVAL receiver.buffer is not NULL, the policy is LAM_RING_LOSSY, or a ring is for many
 *           producers
 */
int lam_lanes_receiver_attach(struct lam_lanes_receiver *receiver, struct lam_lanes *lanes,
    const struct lam_lanes_receiver_options *options, struct lam_error *error);

/* Leave. What was received and not released may be overwritten from now on. */
void lam_lanes_receiver_detach(struct lam_lanes_receiver *receiver);

/*
 * The rare parts of a receive. @first was tried, with @rc; or LAM_LANE_COUNT and 0: none was.
 */
int lam_lanes_receiver_slowly(struct lam_lanes_receiver *receiver, enum lam_lane first, int rc,
    struct lam_framed_message *message, enum lam_lane *lane);
int lam_lanes_receiver_wait_until(struct lam_lanes_receiver *receiver, uint64_t deadline_ns,
    struct lam_framed_message *message, enum lam_lane *lane);

/* In an event's shape: all flags, and the reserved half of its kinds. */
#define LAM_LANES_NOT_PLAIN  UINT64_C(0xffff800000000000)
#define LAM_LANES_CORRELATED ((uint64_t)LAM_EVENT_CORRELATION << 48)

/* Whether the next event of a lane is published. */
LAM_INLINE int lam_lanes_is_there(const struct lam_framed_receiver *lane)
{
    const struct lam_ring_consumer *consumer = &lane->consumer;

    /* A1: see lam_ring_consumer_try_peek(), which looks again. */
    return lam_load_acquire(&lam_ring_consumer_cell(consumer, consumer->next)->stamp) ==
           consumer->next;
}

/* The first lane in strict order that has something, or LAM_LANE_COUNT. */
LAM_INLINE enum lam_lane lam_lanes_receiver_first(const struct lam_lanes_receiver *receiver)
{
    if (lam_lanes_is_there(&receiver->lanes[LAM_LANE_CRITICAL]))
        return LAM_LANE_CRITICAL;
    if (lam_lanes_is_there(&receiver->lanes[LAM_LANE_HIGH]))
        return LAM_LANE_HIGH;
    return lam_lanes_is_there(&receiver->lanes[LAM_LANE_LOW]) ? LAM_LANE_LOW : LAM_LANE_COUNT;
}

/* The rare ways of a receive, by copies: what the caller gets may then stay in registers. */
LAM_INLINE int lam_lanes_receiver_rarely(struct lam_lanes_receiver *receiver, enum lam_lane first,
    int rc, struct lam_framed_message *message, enum lam_lane *lane)
{
    struct lam_framed_message found;
    enum lam_lane found_lane = LAM_LANE_COUNT;

    rc = lam_lanes_receiver_slowly(receiver, first, rc, &found, &found_lane);
    if (rc == 1)
        *message = found;
    *lane = found_lane;
    return rc;
}

/*
 * The next message of @at, a constant, if it is what most are: an event of as many cells as the one
 * before, with no extension but a correlation, where nothing else has to be minded. Each lane has
 * its own place in the code: its fields have fixed addresses there, and its branches their own
 * history.
 *
 * Returns 1 and fills *@message; 0 nothing is there; or -1: something is, for the longer way.
 */
LAM_INLINE int lam_lanes_receiver_take(
    struct lam_lanes_receiver *receiver, enum lam_lane at, struct lam_framed_message *message)
{
    struct lam_framed_receiver *lane = &receiver->lanes[at];
    struct lam_ring_consumer *consumer = &lane->consumer;
    const struct lam_event_header *header = lam_ring_consumer_cell(consumer, consumer->next);
    uint64_t shape, end;

    /* A1: see lam_ring_consumer_try_peek(), of which this is the common way. */
    if (lam_load_acquire(&header->stamp) != consumer->next)
        return 0;
    /* Once, into a local; and a guess at the end that does not wait for it, as there. */
    shape = lam_load_relaxed(&header->shape);
    end = lam_opaque_u64(consumer->next + consumer->stride);
    if (__builtin_expect(
            lane->state != 0 || consumer->guards != 0 ||
                ((uint32_t)shape + consumer->round_up) >> consumer->cell_shift != consumer->stride,
            0))
        return -1;
    message->payload = header + 1;
    message->payload_bytes = (uint32_t)shape;
    message->id = consumer->next;
    message->end = end;
    message->correlation = NULL;
    message->kind = (uint16_t)(shape >> 32);
    message->flags = 0;
    if (__builtin_expect((shape & LAM_LANES_NOT_PLAIN) != 0, 0)) {
        if ((shape & LAM_LANES_NOT_PLAIN) != LAM_LANES_CORRELATED ||
            (uint32_t)shape < LAM_FRAMED_EXTENSION_BYTES)
            return -1;
        message->correlation = (const struct lam_framed_correlation *)(header + 1);
        message->payload = message->correlation + 1;
        message->payload_bytes -= LAM_FRAMED_EXTENSION_BYTES;
        message->flags = LAM_EVENT_CORRELATION;
    }
    consumer->next = end;
    consumer->ordinal++;
    lam_lanes_turns_took(&receiver->turns, at);
    return 1;
}

/* In strict order. Returns 1; 0: none has anything; or -1: *@lane has, for the longer way. */
LAM_INLINE int lam_lanes_receiver_quickly(
    struct lam_lanes_receiver *receiver, struct lam_framed_message *message, enum lam_lane *lane)
{
    int rc = lam_lanes_receiver_take(receiver, LAM_LANE_CRITICAL, message);

    *lane = LAM_LANE_CRITICAL;
    if (rc == 0) {
        rc = lam_lanes_receiver_take(receiver, LAM_LANE_HIGH, message);
        *lane = LAM_LANE_HIGH;
    }
    if (rc == 0) {
        rc = lam_lanes_receiver_take(receiver, LAM_LANE_LOW, message);
        *lane = rc == 0 ? LAM_LANE_COUNT : LAM_LANE_LOW;
    }
    return rc;
}

/*
 * Take the next message, without waiting. It is borrowed until released. Wait-free.
 *
 * A lane may end while others go on: its sender died, say, or wrote what cannot be. That is told
 * once, with *@lane, when the others have nothing; those go on, and a successor's messages come as
 * before. The end of all of them is told by each call, with *@lane = LAM_LANE_COUNT, and by the
 * gravest of their ends. That one lane alone was closed is no news: lam_lanes_receiver_end(). What
 * was published before an end that is told, in any lane, has been taken by then.
 *
 * Returns 1 and fills *@message and *@lane; 0 none is there yet; or with *@lane what
 * lam_framed_receiver_try_receive() says of that lane:
 *   -ECANCELED, -EMSGSIZE, -EBADMSG, -EUSERS, -EOWNERDEAD with a loss (lam_lanes_receiver_loss()):
 *                    one message was lost; the next call goes on
 *   -EBUSY           a message of frames comes next in that lane, where something is held; told
 *                    only while the others have nothing
 *   -EPIPE           all lanes are closed
 *   -EOWNERDEAD, -ESTALE, -ENOTRECOVERABLE of that lane, or of all
 */
LAM_INLINE int lam_lanes_receiver_try_receive(
    struct lam_lanes_receiver *receiver, struct lam_framed_message *message, enum lam_lane *lane)
{
    enum lam_lane first = LAM_LANE_COUNT;
    int rc = 0;

    if (__builtin_expect(!lam_lanes_turns_may_be_due(&receiver->turns), 1))
        rc = lam_lanes_receiver_quickly(receiver, message, &first);
    if (__builtin_expect(rc == 1, 1)) {
        *lane = first;
        return 1;
    }
    if (rc < 0) {
        rc = lam_framed_receiver_try_receive(&receiver->lanes[first], message);
        if (rc == 1) {
            lam_lanes_turns_took(&receiver->turns, first);
            *lane = first;
            return 1;
        }
    }
    return lam_lanes_receiver_rarely(receiver, first, rc, message, lane);
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever): one wait over all lanes.
 *
 * Returns 0, or an error of lam_lanes_receiver_try_receive(), or
 *   -ETIMEDOUT no message was complete
 */
LAM_INLINE int lam_lanes_receiver_receive_until(struct lam_lanes_receiver *receiver,
    uint64_t deadline_ns, struct lam_framed_message *message, enum lam_lane *lane)
{
    struct lam_framed_message found;
    enum lam_lane found_lane = LAM_LANE_COUNT;
    uint32_t looks = 0;
    int rc;

    /* Nothing but the lines that are polled, as lam_ring_consumer_peek_until(). */
    while (looks < LAM_RING_QUICK_LOOKS && !lam_lanes_turns_may_be_due(&receiver->turns) &&
           lam_lanes_receiver_first(receiver) == LAM_LANE_COUNT) {
        lam_pause();
        looks++;
    }
    rc = lam_lanes_receiver_try_receive(receiver, message, lane);
    if (__builtin_expect(rc == 1, 1))
        return 0;
    if (rc < 0)
        return rc;
    rc = lam_lanes_receiver_wait_until(receiver, deadline_ns, &found, &found_lane);
    if (rc == 0)
        *message = found;
    *lane = found_lane;
    return rc;
}

/*
 * Release *@message, of @lane, and all that were received in that lane before it. Returns as
 * lam_framed_receiver_release().
 */
LAM_INLINE int lam_lanes_receiver_release(struct lam_lanes_receiver *receiver, enum lam_lane lane,
    const struct lam_framed_message *message)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return lam_framed_receiver_release(&receiver->lanes[lane], message);
}

/* Go on in a lane behind -ESTALE, as lam_framed_receiver_readmit(). */
int lam_lanes_receiver_readmit(struct lam_lanes_receiver *receiver, enum lam_lane lane,
    enum lam_ring_start start, struct lam_error *error);

/*
 * Leave @lane alone from now on: nothing is taken from it, and no end of it is looked for, until a
 * resume. Meanwhile each receive goes the long way. Both wait-free; without effect the second time.
 */
void lam_lanes_receiver_pause(struct lam_lanes_receiver *receiver, enum lam_lane lane);

LAM_INLINE void lam_lanes_receiver_resume(struct lam_lanes_receiver *receiver, enum lam_lane lane)
{
    receiver->paused &= ~(1U << lane);
}

/* How @lane's stream has ended, as far as receives have seen: 0 it goes on, or -errno. */
int lam_lanes_receiver_end(const struct lam_lanes_receiver *receiver, enum lam_lane lane);

/* Which message of frames the last receive from @lane cut short: lam_framed_receiver_loss(). */
int lam_lanes_receiver_loss(
    const struct lam_lanes_receiver *receiver, enum lam_lane lane, struct lam_framed_loss *loss);

#ifdef __cplusplus
}
#endif

#endif
