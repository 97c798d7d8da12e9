/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maxim Egorushkin's atomic_queue for one producer and one consumer, in the mode that its manual
 * calls optimistic, and fastest: push() and pop(), which wait for their own slot and look at
 * nothing else. AtomicQueue2 takes events of any size, AtomicQueue words in which 0 means empty.
 */
#include <atomic_queue/atomic_queue.h>
#include <new>
#include <utility>

#include "event.h"
#include "loops.h"

namespace
{

template <class Event>
using any_queue = atomic_queue::AtomicQueue2<Event, BENCH_PEER_SLOTS, true, true, false, true>;
using word_queue =
    atomic_queue::AtomicQueue<uint64_t, BENCH_PEER_SLOTS, 0, true, true, false, true>;

struct ends {
    void *out, *in; // of this process
};

template <class Queue> void *open_queue()
{
    return new (bench_shared_memory(sizeof(Queue))) Queue;
}

template <class Queue> ends *open_two()
{
    ends *pair = static_cast<ends *>(bench_private_memory(sizeof(ends)));

    pair->out = open_queue<Queue>();
    pair->in = open_queue<Queue>();
    return pair;
}

int open_any(struct bench_lane *lane)
{
    if (!bench_peer_takes(&lane->shape))
        return -EINVAL;
    lane->state = lane->shape.payload_bytes == BENCH_WORD_BYTES
                      ? open_two<any_queue<bench_word>>()
                      : open_two<any_queue<bench_event>>();
    return 0;
}

int open_words(struct bench_lane *lane)
{
    if (lane->shape.payload_bytes != BENCH_WORD_BYTES)
        return -EINVAL;
    lane->state = open_two<word_queue>();
    return 0;
}

int attach(struct bench_lane *lane, uint32_t side)
{
    ends *pair = static_cast<ends *>(lane->state);

    if (side > 0)
        std::swap(pair->out, pair->in);
    return 0;
}

template <class Event> void push(void *memory, uint64_t value)
{
    Event event;

    bench_fill(&event, sizeof(event), value);
    static_cast<any_queue<Event> *>(memory)->push(event);
}

template <class Event> uint64_t pop(void *memory)
{
    Event event = static_cast<any_queue<Event> *>(memory)->pop();

    return bench_sum(&event, sizeof(event));
}

BENCH_INLINE void put_any(uint32_t bytes, ends *pair, uint64_t value)
{
    if (bytes == BENCH_WORD_BYTES)
        push<bench_word>(pair->out, value);
    else
        push<bench_event>(pair->out, value);
}

BENCH_INLINE uint64_t take_any(uint32_t bytes, ends *pair, int)
{
    return bytes == BENCH_WORD_BYTES ? pop<bench_word>(pair->in) : pop<bench_event>(pair->in);
}

BENCH_LOOPS(any, ends)

/* What a window sends counts from 1 and is never 0. */
BENCH_INLINE void put_word(uint32_t, ends *pair, uint64_t value)
{
    static_cast<word_queue *>(pair->out)->push(value);
}

BENCH_INLINE uint64_t take_word(uint32_t, ends *pair, int)
{
    return static_cast<word_queue *>(pair->in)->pop();
}

BENCH_LOOPS(word, ends)

} // namespace

const struct bench_subject bench_peer_atomic_queue = {.name = "AtomicQueue2",
    .layer = -1,
    .open = open_any,
    .attach = attach,
    .detach = nullptr,
    .ask = ask_any,
    .answer = answer_any,
    .send = send_any,
    .receive = receive_any,
    .skim = nullptr,
    .threads = 0};
const struct bench_subject bench_peer_atomic_queue_word = {.name = "AtomicQueue",
    .layer = -1,
    .open = open_words,
    .attach = attach,
    .detach = nullptr,
    .ask = ask_word,
    .answer = answer_word,
    .send = send_word,
    .receive = receive_word,
    .skim = nullptr,
    .threads = 0};
