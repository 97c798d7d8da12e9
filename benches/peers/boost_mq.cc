/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boost::interprocess::message_queue: copies in and out under a lock of its own. It is asked again
 * and again (try_send, try_receive), as the rings are; its name goes as soon as it is open.
 */
#include <boost/interprocess/ipc/message_queue.hpp>
#include <new>

#include "transport.h"

namespace
{

using queue = boost::interprocess::message_queue;

struct ends {
    queue *out, *in; // of this process
    uint8_t *outbox, *inbox;
};

queue *open_queue(const bench_shape &shape)
{
    char name[64];
    queue *made = nullptr;

    bench_peer_name(name, sizeof(name), "");
    try {
        made = new queue(
            boost::interprocess::create_only, name, bench_peer_slots(&shape), shape.payload_bytes);
    } catch (const boost::interprocess::interprocess_exception &) {
    }
    queue::remove(name);
    return made;
}

int open_pair(bench_lane *lane)
{
    ends *pair = static_cast<ends *>(bench_private_memory(sizeof(ends)));

    pair->out = open_queue(lane->shape);
    pair->in = open_queue(lane->shape);
    pair->outbox = static_cast<uint8_t *>(bench_private_memory(lane->shape.payload_bytes));
    pair->inbox = static_cast<uint8_t *>(bench_private_memory(lane->shape.payload_bytes));
    lane->state = pair;
    return pair->out != nullptr && pair->in != nullptr ? 0 : -ENOMEM;
}

int attach(bench_lane *lane, uint32_t side)
{
    ends *pair = static_cast<ends *>(lane->state);

    if (side > 0)
        std::swap(pair->out, pair->in);
    return 0;
}

BENCH_INLINE void put_boost_mq(uint32_t bytes, ends *pair, uint64_t value)
{
    uint32_t looks = 0;

    bench_fill(pair->outbox, bytes, value);
    while (!pair->out->try_send(pair->outbox, bytes, 0))
        bench_pause(&looks);
}

BENCH_INLINE uint64_t take_boost_mq(uint32_t bytes, ends *pair, int)
{
    queue::size_type received = 0;
    unsigned int priority = 0;
    uint32_t looks = 0;

    while (!pair->in->try_receive(pair->inbox, bytes, received, priority))
        bench_pause(&looks);
    if (received != bytes)
        bench_failed(-EBADMSG);
    return bench_sum(pair->inbox, bytes);
}

BENCH_LOOPS(boost_mq, ends)

} // namespace

const struct bench_subject bench_peer_boost_mq = {.name = "boost_message_queue",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .detach = nullptr,
    .ask = ask_boost_mq,
    .answer = answer_boost_mq,
    .send = send_boost_mq,
    .receive = receive_boost_mq,
    .skim = nullptr,
    .threads = 0};
