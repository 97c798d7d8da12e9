/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "proof/memory.h"

static struct net *of(struct transport *transport)
{
    return (struct net *)transport;
}

static struct net_frame *frame_at(struct net_queue *queue, uint32_t index)
{
    return &queue->frames[(queue->first + index) % NET_FRAMES];
}

static void drop_last(struct net_queue *queue)
{
    struct net_frame *frame = frame_at(queue, --queue->count);

    queue->bytes -= frame->count;
    free(frame->bytes);
}

static void drop_all(struct net_queue *queue)
{
    while (queue->count != 0)
        drop_last(queue);
    queue->sent = 0;
}

static uint8_t *put(struct net_queue *queue, uint32_t count)
{
    struct net_frame *frame = frame_at(queue, queue->count++);
    int before = memory_count(0);

    frame->bytes = malloc(count + 1);
    (void)memory_count(before);
    CHECK(frame->bytes != NULL);
    frame->count = count;
    frame->due_ns = UINT64_MAX;
    queue->bytes += count;
    return frame->bytes;
}

/* What was put goes on its way; nothing overtakes. */
static unsigned let_go(struct net *net, struct net_queue *queue)
{
    unsigned done = 0;

    for (; queue->sent < queue->count; queue->sent++, done++) {
        uint64_t due_ns = *net->now_ns + random_below(&net->random, net->delay_ns + 1);

        if (due_ns < queue->last_ns)
            due_ns = queue->last_ns;
        frame_at(queue, queue->sent)->due_ns = queue->last_ns = due_ns;
    }
    return done;
}

/* Returns the first frame, which is the caller's, where it has come; or NULL. */
static uint8_t *take(const struct net *net, struct net_queue *queue, uint32_t *count)
{
    struct net_frame *frame = frame_at(queue, 0);
    uint8_t *bytes = frame->bytes;

    if (queue->count == 0 || frame->due_ns > *net->now_ns)
        return NULL;
    *count = frame->count;
    queue->bytes -= frame->count;
    queue->first++;
    queue->count--;
    queue->sent--;
    return bytes;
}

/* Some of what is under way is lost, from the end. */
static void lose_some(struct net *net, struct net_queue *queue)
{
    uint64_t lost = random_below(&net->random, queue->count + 1);

    while (lost-- != 0)
        drop_last(queue);
    if (queue->sent > queue->count)
        queue->sent = queue->count;
}

static void free_where_over(struct net_connection *one)
{
    if (one->is_told_gone && one->is_closed && one->is_left) {
        drop_all(&one->to_node);
        drop_all(&one->to_client);
        memset(one, 0, sizeof(*one));
    }
}

static int tell(struct net *net, struct net_connection *one, enum transport_event_kind kind,
    struct transport_event *event)
{
    static const struct transport_peer peer = {.uid = 1000, .pid = 1, .address = "sim"};

    *event = (struct transport_event){.kind = kind, .connection = one->number, .peer = peer};
    if (kind == TRANSPORT_CONNECTED)
        one->state = NET_OPEN;
    if (kind != TRANSPORT_GONE)
        return 1;
    event->reason = random_once_in(&net->random, 2) ? 0 : -ECONNRESET;
    one->is_told_gone = 1;
    free_where_over(one);
    return 1;
}

static int next_of(struct net *net, struct net_connection *one, struct transport_event *event)
{
    if (one->state == NET_FREE || one->is_told_gone)
        return 0;
    if (one->state == NET_COMING) {
        if (one->due_ns > *net->now_ns)
            return 0;
        one->number = (uint64_t)net->transport.number << 56 | ++net->numbers;
        return tell(net, one, TRANSPORT_CONNECTED, event);
    }
    if (one->is_closed)
        return tell(net, one, TRANSPORT_GONE, event);
    if (!one->is_held) {
        uint32_t count = 0;
        uint8_t *bytes = take(net, &one->to_node, &count);

        if (bytes != NULL) {
            free(net->lent);
            net->lent = bytes;
            (void)tell(net, one, TRANSPORT_FRAME, event);
            event->bytes = bytes;
            event->count = count;
            return 1;
        }
    }
    if (one->state == NET_CUT && one->due_ns <= *net->now_ns &&
        (one->is_held || one->to_node.count == 0))
        return tell(net, one, TRANSPORT_GONE, event);
    return 0;
}

static int next(struct transport *transport, struct transport_event *event)
{
    struct net *net = of(transport);

    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        net->turn = (net->turn + 1) % NET_CONNECTIONS;
        if (next_of(net, &net->connections[net->turn], event))
            return 1;
    }
    return 0;
}

static struct net_connection *find(struct net *net, uint64_t number)
{
    for (unsigned i = 0; i < NET_CONNECTIONS; i++)
        if (net->connections[i].state > NET_COMING && net->connections[i].number == number)
            return &net->connections[i];
    return NULL;
}

static void hold(struct transport *transport, uint64_t connection, int is_held)
{
    struct net_connection *one = find(of(transport), connection);

    if (one != NULL)
        one->is_held = is_held;
}

static int send_frame(struct transport *transport, uint64_t connection, const struct iovec *parts,
    unsigned part_count)
{
    struct net *net = of(transport);
    struct net_connection *one = find(net, connection);
    uint32_t count = 0;
    uint8_t *bytes;

    if (one == NULL)
        return -ENOTCONN;
    CHECK(!one->is_closed); /* nobody ever writes to it again */
    if (one->state == NET_CUT)
        return -ENOTCONN;
    for (unsigned i = 0; i < part_count; i++)
        count += (uint32_t)parts[i].iov_len;
    CHECK(count <= NET_FRAME_BYTES);
    if (one->to_client.count == NET_FRAMES || one->to_client.bytes + count > NET_BUFFER_BYTES)
        return 0;
    bytes = put(&one->to_client, count);
    for (unsigned i = 0; i < part_count; i++) {
        if (parts[i].iov_len != 0)
            memcpy(bytes, parts[i].iov_base, parts[i].iov_len);
        bytes += parts[i].iov_len;
    }
    net->sends++;
    return 1;
}

static unsigned flush(struct transport *transport)
{
    struct net *net = of(transport);
    unsigned done = 0;

    for (unsigned i = 0; i < NET_CONNECTIONS; i++)
        if (net->connections[i].state != NET_FREE)
            done += let_go(net, &net->connections[i].to_client);
    return done;
}

static void close_connection(struct transport *transport, uint64_t connection)
{
    struct net *net = of(transport);
    struct net_connection *one = find(net, connection);

    if (one == NULL)
        return;
    CHECK(!one->is_closed);
    (void)let_go(net, &one->to_client);
    one->is_closed = 1;
    free_where_over(one);
}

static void destroy(struct transport *transport)
{
    (void)transport; /* the test's */
}

void net_init(struct net *net, uint64_t seed, const uint64_t *now_ns, uint64_t delay_ns)
{
    static const struct transport_ops ops = {.next = next,
        .hold = hold,
        .send = send_frame,
        .flush = flush,
        .close = close_connection,
        .destroy = destroy};

    memset(net, 0, sizeof(*net));
    net->transport.ops = &ops;
    net->random.state = seed;
    net->now_ns = now_ns;
    net->delay_ns = delay_ns;
}

void net_down(struct net *net)
{
    net->is_up = 0;
    free(net->lent);
    net->lent = NULL;
    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        struct net_connection *one = &net->connections[i];

        if (one->state == NET_FREE)
            continue;
        drop_all(&one->to_node);
        lose_some(net, &one->to_client);
        while (one->to_client.count > one->to_client.sent)
            drop_last(&one->to_client); /* it was in the node's memory */
        one->state = NET_OVER;
        one->is_told_gone = one->is_closed = 1; /* there is nobody to tell */
        free_where_over(one);
    }
}

void net_up(struct net *net)
{
    net->is_up = 1;
}

void net_fini(struct net *net)
{
    net_down(net);
    for (unsigned i = 0; i < NET_CONNECTIONS; i++)
        if (net->connections[i].state != NET_FREE)
            net_leave(net, (int)i, 0);
}

int net_connect(struct net *net)
{
    if (!net->is_up)
        return -1;
    for (int i = 0; i < NET_CONNECTIONS; i++)
        if (net->connections[i].state == NET_FREE) {
            net->connections[i].state = NET_COMING;
            net->connections[i].due_ns =
                *net->now_ns + random_below(&net->random, net->delay_ns + 1);
            return i;
        }
    return -1;
}

int net_send(struct net *net, int connection, const uint8_t *bytes, uint32_t count)
{
    struct net_connection *one = &net->connections[connection];

    if (one->state == NET_CUT || one->state == NET_OVER || one->is_closed)
        return -1;
    if (one->to_node.count == NET_FRAMES)
        return 0;
    memcpy(put(&one->to_node, count), bytes, count);
    (void)let_go(net, &one->to_node);
    return 1;
}

int net_receive(struct net *net, int connection, uint8_t bytes[NET_FRAME_BYTES], uint32_t *count)
{
    struct net_connection *one = &net->connections[connection];
    uint8_t *taken = take(net, &one->to_client, count);

    if (taken == NULL) /* what has come before the end is still read */
        return (one->state == NET_OVER || one->is_closed) && one->to_client.count == 0 ? -1 : 0;
    memcpy(bytes, taken, *count);
    free(taken);
    return 1;
}

void net_leave(struct net *net, int connection, int is_silent)
{
    struct net_connection *one = &net->connections[connection];

    one->is_left = 1;
    if (one->state == NET_COMING && !one->is_told_gone) { /* the node has never heard of it */
        one->is_told_gone = one->is_closed = 1;
    } else if (one->state != NET_OVER && !is_silent) {
        one->state = NET_CUT;
        one->due_ns = *net->now_ns + random_below(&net->random, 4 * net->delay_ns + 1);
        lose_some(net, &one->to_node);
        drop_all(&one->to_client);
    }
    free_where_over(one);
}

static void look_at(uint64_t *due_ns, uint64_t now_ns, uint64_t when_ns)
{
    if (when_ns > now_ns && when_ns < *due_ns)
        *due_ns = when_ns;
}

uint64_t net_due_ns(const struct net *net)
{
    uint64_t due_ns = UINT64_MAX;

    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        const struct net_connection *one = &net->connections[i];
        const struct net_queue *in = &one->to_node, *out = &one->to_client;

        if (one->state == NET_COMING || (one->state == NET_CUT && !one->is_told_gone))
            look_at(&due_ns, *net->now_ns, one->due_ns);
        if (in->count != 0)
            look_at(&due_ns, *net->now_ns, in->frames[in->first % NET_FRAMES].due_ns);
        if (out->sent != 0)
            look_at(&due_ns, *net->now_ns, out->frames[out->first % NET_FRAMES].due_ns);
    }
    return due_ns;
}
