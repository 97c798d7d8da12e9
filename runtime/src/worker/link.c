/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/link.h"

#include <errno.h>
#include <stdlib.h>

#include "lamina/base/clock.h"
#include "lamina/framed/take.h"
#include "lamina/ring/pass.h"

#define BUFFER_BYTES_FIRST 4096

enum { PART_OUT = 1, PART_IN = 2, PART_SENDER = 4, PART_RECEIVER = 8 };

static int attach_ends(struct lam_link *link, uint32_t is_host, struct lam_error *error)
{
    /* The worker is not trusted: what it sends is copied before it is looked at. */
    struct lam_framed_receiver_options receiver = {
        .consumer = {.name = is_host ? "host" : "worker", .start = LAM_RING_OLDEST},
        .message_bytes_max = LINK_MESSAGE_BYTES_MAX,
        .copies = is_host};
    struct lam_framed_sender_options sender = {.message_bytes_max = LINK_MESSAGE_BYTES_MAX};
    int rc = lam_framed_receiver_attach(&link->receiver, &link->in, &receiver, error);

    if (rc != 0)
        return rc;
    link->parts |= PART_RECEIVER;
    rc = lam_framed_sender_attach(&link->sender, &link->out, &sender, error);
    if (rc == 0)
        link->parts |= PART_SENDER;
    return rc;
}

static int create_ring(struct lam_ring *ring, const char *name, struct lam_error *error)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_MEMFD, .name = name, .depth = LINK_DEPTH};

    return lam_ring_create(ring, &options, error);
}

int lam_link_create(
    struct lam_link *link, int socket, uint64_t deadline_ns, struct lam_error *error)
{
    int rc;

    link->parts = 0;
    rc = create_ring(&link->out, "runtime.requests", error);
    if (rc == 0) {
        link->parts |= PART_OUT;
        rc = create_ring(&link->in, "runtime.replies", error);
    }
    if (rc == 0) {
        link->parts |= PART_IN;
        rc = lam_ring_send(socket, &link->out, LAM_ACCESS_READ, deadline_ns, error);
    }
    if (rc == 0)
        rc = lam_ring_send(socket, &link->in, LAM_ACCESS_WRITE, deadline_ns, error);
    if (rc == 0)
        rc = attach_ends(link, 1, error);
    if (rc != 0)
        lam_link_end(link);
    return rc;
}

int lam_link_join(struct lam_link *link, int socket, struct lam_error *error)
{
    struct lam_ring_attach_options in = {
        .access = LAM_ACCESS_READ, .deadline_ns = LAM_DEADLINE_NEVER};
    struct lam_ring_attach_options out = {
        .access = LAM_ACCESS_WRITE, .deadline_ns = LAM_DEADLINE_NEVER};
    int rc;

    link->parts = 0;
    rc = lam_ring_receive(socket, &link->in, &in, NULL, error);
    if (rc == 0) {
        link->parts |= PART_IN;
        rc = lam_ring_receive(socket, &link->out, &out, NULL, error);
    }
    if (rc == 0) {
        link->parts |= PART_OUT;
        rc = attach_ends(link, 0, error);
    }
    if (rc != 0)
        lam_link_end(link);
    return rc;
}

void lam_link_end(struct lam_link *link)
{
    if ((link->parts & PART_SENDER) != 0) {
        lam_framed_sender_close(&link->sender);
        lam_framed_sender_detach(&link->sender);
    }
    if ((link->parts & PART_RECEIVER) != 0)
        lam_framed_receiver_detach(&link->receiver);
    if ((link->parts & PART_IN) != 0)
        lam_ring_detach(&link->in);
    if ((link->parts & PART_OUT) != 0)
        lam_ring_detach(&link->out);
    link->parts = 0;
}

int lam_link_send(struct lam_link *link, const struct lam_protocol_header *header,
    struct iovec *parts, uint32_t part_count, uint64_t deadline_ns)
{
    struct lam_protocol_header whole = *header;
    uint8_t bytes[LAM_PROTOCOL_HEADER_BYTES];
    uint64_t body_bytes = 0;
    int rc;

    for (uint32_t i = 1; i < part_count; i++)
        body_bytes += parts[i].iov_len;
    if (body_bytes > LAM_PROTOCOL_BODY_BYTES_MAX - LAM_PROTOCOL_HEADER_BYTES)
        return -EMSGSIZE;
    whole.body_bytes = (uint32_t)body_bytes;
    lam_protocol_write(&whole, bytes);
    parts[0] = (struct iovec){.iov_base = bytes, .iov_len = sizeof(bytes)};
    rc = lam_framed_sender_send_until(&link->sender, parts, part_count, 0, NULL, deadline_ns);
    parts[0] = (struct iovec){NULL, 0}; /* the header goes with us */
    return rc;
}

int lam_link_respond(struct lam_link *link, uint64_t id, const struct link_response *response,
    const void *data, uint64_t deadline_ns)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_RESPONSE, .request_id = id};
    struct link_response said = *response;
    struct iovec parts[3];

    parts[1] = (struct iovec){.iov_base = &said, .iov_len = sizeof(said)};
    parts[2] = (struct iovec){
        .iov_base = (void *)(uintptr_t)data, .iov_len = said.status == 0 ? said.reply_bytes : 0};
    return lam_link_send(link, &header, parts, 3, deadline_ns);
}

static int grow(struct link_buffer *buffer, uint64_t bytes)
{
    uint64_t capacity = buffer->capacity == 0 ? BUFFER_BYTES_FIRST : buffer->capacity;
    uint8_t *larger;

    while (capacity < bytes)
        capacity *= 2;
    larger = aligned_alloc(64, capacity);
    if (larger == NULL)
        return -ENOMEM;
    free(buffer->bytes);
    buffer->bytes = larger;
    buffer->capacity = capacity;
    return 0;
}

int lam_link_take(struct lam_link *link, struct link_buffer *buffer, struct link_message *message,
    uint64_t deadline_ns)
{
    struct lam_framed_message taken;
    int rc = buffer->capacity == 0 ? grow(buffer, BUFFER_BYTES_FIRST) : 0;

    if (rc == 0)
        rc = lam_framed_receiver_take_until(
            &link->receiver, deadline_ns, buffer->bytes, buffer->capacity, &taken);
    if (rc == -ENOSPC) {
        rc = grow(buffer, taken.payload_bytes);
        if (rc == 0)
            rc = lam_framed_receiver_take_until(
                &link->receiver, deadline_ns, buffer->bytes, buffer->capacity, &taken);
    }
    if (rc != 0)
        return rc;
    message->body = buffer->bytes + LAM_PROTOCOL_HEADER_BYTES;
    return lam_protocol_read(&message->header, buffer->bytes, taken.payload_bytes) == 0 ? 0
                                                                                        : -EPROTO;
}
