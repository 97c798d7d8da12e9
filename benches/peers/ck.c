/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency Kit's ck_ring, one producer and one consumer, with the events by value in its buffer
 * (CK_RING_PROTOTYPE). It has no call for several at once.
 */
#include <ck_ring.h>

#include "event.h"
#include "loops.h"

CK_RING_PROTOTYPE(word, bench_word)
CK_RING_PROTOTYPE(event, bench_event)

struct queue {
    struct ck_ring *ring;
    void *buffer;
};

struct pair {
    struct queue out, in; /* of this process */
};

static void open_queue(struct queue *queue)
{
    queue->ring = bench_shared_memory(sizeof(*queue->ring));
    queue->buffer = bench_shared_memory(BENCH_PEER_SLOTS * sizeof(struct bench_event));
    ck_ring_init(queue->ring, BENCH_PEER_SLOTS);
}

static int open_pair(struct bench_lane *lane)
{
    struct pair *pair = bench_private_memory(sizeof(*pair));

    if (!bench_peer_takes(&lane->shape))
        return -EINVAL;
    open_queue(&pair->out);
    open_queue(&pair->in);
    lane->state = pair;
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct pair *pair = lane->state;
    struct queue there = pair->out;

    if (side > 0) {
        pair->out = pair->in;
        pair->in = there;
    }
    return 0;
}

BENCH_INLINE void put_ck(uint32_t bytes, struct pair *pair, uint64_t value)
{
    struct ck_ring *ring = pair->out.ring;
    uint32_t looks = 0;

    if (bytes == BENCH_WORD_BYTES) {
        struct bench_word word;

        bench_fill(&word, BENCH_WORD_BYTES, value);
        while (!ck_ring_enqueue_spsc_word(ring, pair->out.buffer, &word))
            bench_pause(&looks);
    } else {
        struct bench_event event;

        bench_fill(&event, BENCH_EVENT_BYTES, value);
        while (!ck_ring_enqueue_spsc_event(ring, pair->out.buffer, &event))
            bench_pause(&looks);
    }
}

BENCH_INLINE uint64_t take_ck(uint32_t bytes, struct pair *pair, int is_late)
{
    struct ck_ring *ring = pair->in.ring;
    uint32_t looks = 0;

    (void)is_late;
    if (bytes == BENCH_WORD_BYTES) {
        struct bench_word word;

        while (!ck_ring_dequeue_spsc_word(ring, pair->in.buffer, &word))
            bench_pause(&looks);
        return bench_sum(&word, BENCH_WORD_BYTES);
    } else {
        struct bench_event event;

        while (!ck_ring_dequeue_spsc_event(ring, pair->in.buffer, &event))
            bench_pause(&looks);
        return bench_sum(&event, BENCH_EVENT_BYTES);
    }
}

BENCH_LOOPS(ck, struct pair)

const struct bench_subject bench_peer_ck = {.name = "ck_ring",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask_ck,
    .answer = answer_ck,
    .send = send_ck,
    .receive = receive_ck};
