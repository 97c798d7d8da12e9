/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boost::lockfree::spsc_queue with its storage inside, so that it lies in shared memory as it is.
 * The writer pushes, arrays of events where there are batches; the reader looks at the events in
 * place (consume_one, consume_all), which saves the copy out.
 */
#include <boost/lockfree/spsc_queue.hpp>
#include <new>

#include "event.h"
#include "loops.h"

namespace
{

template <class Event>
using queue = boost::lockfree::spsc_queue<Event, boost::lockfree::capacity<BENCH_PEER_SLOTS - 1>>;

struct ends {
    void *out, *in; // of this process
};

template <class Event> void *open_queue()
{
    return new (bench_shared_memory(sizeof(queue<Event>))) queue<Event>;
}

int open_pair(struct bench_lane *lane)
{
    ends *pair = static_cast<ends *>(bench_private_memory(sizeof(ends)));

    if (!bench_peer_takes(&lane->shape))
        return -EINVAL;
    if (lane->shape.payload_bytes == BENCH_WORD_BYTES) {
        pair->out = open_queue<bench_word>();
        pair->in = open_queue<bench_word>();
    } else {
        pair->out = open_queue<bench_event>();
        pair->in = open_queue<bench_event>();
    }
    lane->state = pair;
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
    auto *out = static_cast<queue<Event> *>(memory);
    uint32_t looks = 0;
    Event event;

    bench_fill(&event, sizeof(event), value);
    while (!out->push(event))
        bench_pause(&looks);
}

template <class Event> uint64_t pop(void *memory)
{
    auto *in = static_cast<queue<Event> *>(memory);
    uint32_t looks = 0;
    uint64_t sum = 0;

    while (!in->consume_one([&](const Event &event) { sum = bench_sum(&event, sizeof(event)); }))
        bench_pause(&looks);
    return sum;
}

BENCH_INLINE void put_boost(uint32_t bytes, ends *pair, uint64_t value)
{
    if (bytes == BENCH_WORD_BYTES)
        push<bench_word>(pair->out, value);
    else
        push<bench_event>(pair->out, value);
}

BENCH_INLINE uint64_t take_boost(uint32_t bytes, ends *pair, int)
{
    return bytes == BENCH_WORD_BYTES ? pop<bench_word>(pair->in) : pop<bench_event>(pair->in);
}

BENCH_LOOPS(boost, ends)

template <class Event>
void send_arrays(void *memory, uint32_t batch, uint64_t count, uint64_t value)
{
    auto *out = static_cast<queue<Event> *>(memory);
    Event events[BENCH_PEER_BATCH_MAX];
    uint32_t looks = 0;

    for (uint64_t sent = 0; sent < count; sent += batch) {
        for (uint32_t i = 0; i < batch; i++)
            bench_fill(&events[i], sizeof(Event), value++);
        for (uint32_t pushed = 0; pushed < batch;) {
            uint32_t taken = static_cast<uint32_t>(out->push(events + pushed, batch - pushed));

            if (taken == 0)
                bench_pause(&looks);
            pushed += taken;
        }
    }
}

template <class Event> uint64_t receive_all(void *memory, uint64_t count)
{
    auto *in = static_cast<queue<Event> *>(memory);
    uint32_t looks = 0;
    uint64_t sum = 0;

    for (uint64_t received = 0; received < count;) {
        uint64_t found =
            in->consume_all([&](const Event &event) { sum += bench_sum(&event, sizeof(event)); });

        if (found == 0)
            bench_pause(&looks);
        received += found;
    }
    return sum;
}

void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    void *out = static_cast<ends *>(lane->state)->out;
    uint32_t batch = lane->shape.batch;

    if (batch == 1)
        send_boost(lane, count, value);
    else if (lane->shape.payload_bytes == BENCH_WORD_BYTES)
        send_arrays<bench_word>(out, batch, count, value);
    else
        send_arrays<bench_event>(out, batch, count, value);
}

uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    void *in = static_cast<ends *>(lane->state)->in;

    if (lane->shape.batch == 1)
        return receive_boost(lane, count);
    return lane->shape.payload_bytes == BENCH_WORD_BYTES ? receive_all<bench_word>(in, count)
                                                         : receive_all<bench_event>(in, count);
}

} // namespace

const struct bench_subject bench_peer_boost = {.name = "boost",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .detach = nullptr,
    .ask = ask_boost,
    .answer = answer_boost,
    .send = send,
    .receive = receive,
    .skim = nullptr,
    .threads = 0};
