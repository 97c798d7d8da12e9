/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one wait, many channels. */
#include "lamina/framed/service.h"

#include <errno.h>
#include <string.h>

#include "assemble.h"
#include "lamina/ring/wait_any.h"

/* One that is silent is asked whether it lives after so many services of others. */
#define PROBE_EVERY 64

/* What a message costs beside its bytes, where bytes are counted: none is free. */
#define MESSAGE_BYTES 64

/* What a receiver has without a look at its channel. */
#define STATES_READY (STATE_AHEAD | STATE_KEPT | STATE_DEFERRED | STATE_CUT)

LAM_STATIC_ASSERT(LAM_SERVICE_COUNT_MAX <= LAM_RING_WAIT_ANY_MAX &&
                      LAM_SERVICE_COUNT_MAX == LAM_TURNS_MEMBER_COUNT_MAX,
    "one wait, and one turn each, for all");

void lam_service_init(struct lam_service *service, enum lam_service_unit unit)
{
    LAM_ASSERT(unit == LAM_SERVICE_MESSAGES || unit == LAM_SERVICE_BYTES);
    memset(service, 0, sizeof(*service));
    lam_turns_init(&service->turns);
    service->unit = unit;
}

static int add(struct lam_service *service, struct lam_framed_receiver *receiver,
    struct lam_responder *responder, uint32_t weight, uint32_t *index)
{
    if (~service->turns.members == 0)
        return -EUSERS;
    *index = (uint32_t)__builtin_ctzll(~service->turns.members);
    lam_turns_add(&service->turns, *index, weight);
    service->ended &= ~(UINT64_C(1) << *index);
    service->receivers[*index] = receiver;
    service->responders[*index] = responder;
    return 0;
}

int lam_service_add(struct lam_service *service, struct lam_framed_receiver *receiver,
    uint32_t weight, uint32_t *index)
{
    return add(service, receiver, NULL, weight, index);
}

int lam_service_add_responder(
    struct lam_service *service, struct lam_responder *responder, uint32_t weight, uint32_t *index)
{
    return add(service, responder->receiver, responder, weight, index);
}

void lam_service_remove(struct lam_service *service, uint32_t index)
{
    lam_turns_remove(&service->turns, index);
}

void lam_service_resume(struct lam_service *service, uint32_t index)
{
    LAM_ASSERT(index < LAM_SERVICE_COUNT_MAX && (service->turns.members >> index & 1) != 0);
    service->ended &= ~(UINT64_C(1) << index);
}

/* A hint: whoever takes from it looks again. */
static int is_ready(const struct lam_service *service, uint32_t index)
{
    const struct lam_framed_receiver *receiver = service->receivers[index];
    const struct lam_ring_consumer *consumer = &receiver->consumer;
    const struct lam_responder *responder = service->responders[index];

    if ((responder != NULL && lam_responder_is_ready(responder)) ||
        (receiver->state & STATES_READY) != 0)
        return 1;
    /* A1: see lam_ring_consumer_try_peek(), which looks again. */
    return lam_load_acquire(&lam_ring_consumer_cell(consumer, consumer->next)->stamp) ==
           consumer->next;
}

static uint64_t ready_of(const struct lam_service *service)
{
    uint64_t ready = 0;

    for (uint64_t left = service->turns.members & ~service->ended; left != 0; left &= left - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(left);

        if (is_ready(service, index))
            ready |= UINT64_C(1) << index;
    }
    return ready;
}

/* Wait for those in @members. As lam_ring_wait_any_until(), with *@index ours. */
static int wait_for(
    const struct lam_service *service, uint64_t members, uint64_t deadline_ns, uint32_t *index)
{
    struct lam_ring_consumer *consumers[LAM_SERVICE_COUNT_MAX];
    uint32_t indexes[LAM_SERVICE_COUNT_MAX];
    uint32_t found = UINT32_MAX;
    uint32_t count = 0;
    int rc;

    LAM_ASSERT(members != 0);
    for (; members != 0; members &= members - 1) {
        indexes[count] = (uint32_t)__builtin_ctzll(members);
        consumers[count] = &service->receivers[indexes[count]]->consumer;
        count++;
    }
    rc = lam_ring_wait_any_until(consumers, count, deadline_ns, &found);
    if (found < count)
        *index = indexes[found];
    return rc;
}

/* The wait for one or all came to @rc. The end of a channel is told once. */
static int told(struct lam_service *service, int rc, const uint32_t *index)
{
    if (rc < 0 && rc != -ETIMEDOUT)
        service->ended |= UINT64_C(1) << *index;
    return rc;
}

/* While others are busy, a wait never comes to those that are dead: each is asked in its turn. */
static int probe(struct lam_service *service, uint64_t ready, uint32_t *index)
{
    uint64_t silent = service->turns.members & ~service->ended & ~ready;
    uint32_t asked = service->probed;
    uint32_t found = 0;
    int rc;

    service->since_probe = 0;
    if (silent == 0)
        return 0;
    do {
        asked = (asked + 1) % LAM_SERVICE_COUNT_MAX;
    } while ((silent >> asked & 1) == 0);
    service->probed = asked;
    rc = told(service, wait_for(service, UINT64_C(1) << asked, 0, &found), &asked);
    if (rc == -ETIMEDOUT)
        return 0;
    *index = asked;
    return rc;
}

int lam_service_next_until(struct lam_service *service, uint64_t deadline_ns, uint32_t *index)
{
    uint64_t ready = ready_of(service);
    int rc = 0;

    if (ready != 0 && ++service->since_probe >= PROBE_EVERY)
        rc = probe(service, ready, index);
    if (rc != 0)
        return rc;
    while (ready == 0) {
        uint32_t found = 0;

        if ((service->turns.members & ~service->ended) == 0)
            return -ENOENT;
        rc = wait_for(service, service->turns.members & ~service->ended, deadline_ns, &found);
        if (rc != 0) {
            if (rc != -ETIMEDOUT)
                *index = found;
            return told(service, rc, &found);
        }
        ready = ready_of(service) | UINT64_C(1) << found;
    }
    *index = lam_turns_next(&service->turns, ready);
    return 0;
}

void lam_service_served(struct lam_service *service, uint32_t index, uint64_t bytes)
{
    lam_turns_charge(
        &service->turns, index, service->unit == LAM_SERVICE_BYTES ? bytes + MESSAGE_BYTES : 1);
}

void lam_service_pass(struct lam_service *service, uint32_t index)
{
    lam_turns_pass(&service->turns, index);
}

/*
 * A channel has ended by @rc. Was a message of frames on its way, that is told first or with it
 * (lam_framed_receiver_loss()): the receiver is made to note it.
 */
static int end_with_loss(struct lam_service *service, uint32_t index, int rc)
{
    struct lam_framed_receiver *receiver = service->receivers[index];
    struct lam_framed_message message;

    if ((receiver->state & STATE_ASSEMBLING) == 0 ||
        lam_framed_receiver_try_receive(receiver, &message) != -ECANCELED)
        return rc;
    service->ended &= ~(UINT64_C(1) << index);
    return -ECANCELED;
}

/* A receive said @rc: the end of the channel, told once; or of one message, and it goes on. */
static int end_of(struct lam_service *service, uint32_t index, int rc)
{
    struct lam_framed_loss loss;

    lam_service_pass(service, index);
    if (rc == -EBUSY || lam_framed_receiver_loss(service->receivers[index], &loss))
        return rc;
    return told(service, rc, &index);
}

int lam_service_receive_until(struct lam_service *service, uint64_t deadline_ns, uint32_t *index,
    struct lam_framed_message *message)
{
    for (;;) {
        int rc = lam_service_next_until(service, deadline_ns, index);

        if (rc != 0)
            return rc == -ETIMEDOUT || rc == -ENOENT ? rc : end_with_loss(service, *index, rc);
        rc = lam_framed_receiver_try_receive(service->receivers[*index], message);
        if (rc == 1)
            lam_service_served(service, *index, message->payload_bytes);
        if (rc != 0)
            return rc == 1 ? 0 : end_of(service, *index, rc);
        /* Part of a message came: that was its turn. */
        lam_service_pass(service, *index);
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}
