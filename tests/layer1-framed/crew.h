/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FRAMED_CREW_H
#define LAM_TEST_FRAMED_CREW_H

/*
 * crew.h: a scatterer and its workers, all of one process, for the tests of scatter and gather.
 */

#include "pair.h"

#define CREW_WORKERS 4

struct crew {
    uint32_t sender_count;
    struct channel requests[CREW_WORKERS];            /* the first one's, or each one's */
    struct lam_framed_receiver readers[CREW_WORKERS]; /* of the requests */
    struct channel replies[CREW_WORKERS];
    struct lam_responder responders[CREW_WORKERS];
    struct lam_request requests_taken[CREW_WORKERS];
    struct lam_scatter scatter;
};

static const char *const crew_names[CREW_WORKERS] = {
    "worker-0", "worker-1", "worker-2", "worker-3"};

static inline void crew_join(struct crew *crew, uint32_t worker)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX, .consumer.name = crew_names[worker]};
    struct lam_responder_options responder = {.pending_max = 100};
    struct channel *channel = &crew->requests[crew->sender_count == 1 ? 0 : worker];
    struct lam_error error = {""};

    if (lam_framed_receiver_attach(&crew->readers[worker], &channel->ring, &options, &error) != 0 ||
        lam_responder_attach(
            &crew->responders[worker], &crew->readers[worker], &responder, &error) != 0)
        channel_fail(&error);
    (void)lam_responder_add(&crew->responders[worker], 0, &crew->replies[worker].sender);
}

static inline void crew_leave(struct crew *crew, uint32_t worker)
{
    lam_responder_detach(&crew->responders[worker]);
    lam_framed_receiver_detach(&crew->readers[worker]);
}

static inline void crew_open(struct crew *crew, uint32_t sender_count, uint64_t depth)
{
    struct lam_framed_sender *senders[CREW_WORKERS];
    struct lam_framed_receiver *receivers[CREW_WORKERS];
    const struct lam_scatter_options options = {.worker_count = CREW_WORKERS,
        .sender_count = sender_count,
        .senders = senders,
        .receivers = receivers,
        .names = crew_names};

    crew->sender_count = sender_count;
    for (uint32_t i = 0; i < sender_count; i++) {
        channel_make_ring(&crew->requests[i].ring, depth, test_next_start());
        channel_attach_sender(&crew->requests[i]);
        senders[i] = &crew->requests[i].sender;
    }
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        pair_open_channel(&crew->replies[i], depth, test_next_start());
        receivers[i] = &crew->replies[i].receiver;
        crew_join(crew, i);
    }
    if (lam_scatter_init(&crew->scatter, &options, NULL) != 0)
        abort();
}

static inline void crew_close(struct crew *crew)
{
    lam_scatter_release(&crew->scatter);
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        crew_leave(crew, i);
        channel_close(&crew->replies[i]);
    }
    for (uint32_t i = 0; i < crew->sender_count; i++) {
        lam_framed_sender_detach(&crew->requests[i].sender);
        (void)lam_ring_destroy(&crew->requests[i].ring);
    }
}

/* Round @number: its request is 48 known bytes. */
static inline int crew_begin(struct crew *crew, uint64_t number, uint64_t deadline_ns)
{
    uint8_t bytes[48];
    const struct iovec part = {bytes, sizeof(bytes)};

    known_fill(bytes, number, 0, sizeof(bytes));
    return lam_scatter_begin_until(
        &crew->scatter, &part, 1, (uint16_t)(number & 0x7fff), deadline_ns);
}

/* @worker takes a request. Returns as lam_responder_try_receive(). */
static inline int crew_take(struct crew *crew, uint32_t worker)
{
    return lam_responder_try_receive(&crew->responders[worker], &crew->requests_taken[worker]);
}

/* It answers with the request's bytes, and says who it is. */
static inline int crew_answer_taken(struct crew *crew, uint32_t worker)
{
    struct lam_request *request = &crew->requests_taken[worker];
    const struct iovec part = {(void *)(uintptr_t)request->payload, request->payload_bytes};
    const struct lam_answer answer = {&part, 1, request->kind, (int32_t)worker};

    return lam_responder_try_reply(&crew->responders[worker], request, &answer);
}

static inline int crew_answer(struct crew *crew, uint32_t worker)
{
    int rc = crew_take(crew, worker);

    return rc == 1 ? crew_answer_taken(crew, worker) : rc;
}

/* @worker answers none of what is there. */
static inline uint32_t crew_drop_all(struct crew *crew, uint32_t worker)
{
    uint32_t count = 0;

    for (; crew_take(crew, worker) == 1; count++)
        lam_responder_drop(&crew->responders[worker], &crew->requests_taken[worker]);
    return count;
}

static inline int crew_is_answer(const struct crew *crew, uint32_t worker, uint64_t number)
{
    const struct lam_reply *reply = lam_scatter_reply(&crew->scatter, worker);

    return pair_is_answer(reply, number, 48) && reply->status == (int32_t)worker;
}

#endif
