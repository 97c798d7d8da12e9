/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lamina/base/assert.h"

#define KINDS (FRAME_GOODBYE + 1)

/* What a kind has behind its header. Nothing at all: there is no such kind. */
static const struct shape {
    uint8_t of_client, of_node;
    uint8_t fixed; /* bytes */
    uint8_t has_more, has_request, flags;
} shapes[KINDS] = {
    [FRAME_HELLO] = {.of_client = 1, .fixed = 24},
    [FRAME_PROOF] = {.of_client = 1, .fixed = FRAME_KEY_BYTES + FRAME_SIGNATURE_BYTES},
    [FRAME_REQUEST] = {.of_client = 1, .fixed = 8, .has_more = 1, .has_request = 1},
    [FRAME_QUERY] = {.of_client = 1, .has_more = 1, .has_request = 1},
    [FRAME_SUBSCRIBE] = {.of_client = 1, .has_request = 1},
    [FRAME_BEAT] = {.of_client = 1, .of_node = 1},
    [FRAME_BYE] = {.of_client = 1, .fixed = 1},
    [FRAME_CHALLENGE] = {.of_node = 1, .fixed = FRAME_CHALLENGE_BYTES + FRAME_NODE_BYTES},
    [FRAME_WELCOME] = {.of_node = 1, .fixed = 48},
    [FRAME_REPLY] =
        {.of_node = 1, .fixed = 8, .has_more = 1, .has_request = 1, .flags = FRAME_REPEATED},
    [FRAME_REFUSED] = {.of_node = 1, .fixed = 4, .has_more = 1, .has_request = 1},
    [FRAME_EVENT] = {.of_node = 1, .fixed = 8, .has_more = 1, .has_request = 1},
    [FRAME_GOODBYE] = {.of_node = 1, .fixed = 4, .has_more = 1},
};

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

int frame_length(const uint8_t *bytes, uint64_t count, uint32_t bytes_max, uint32_t *length)
{
    if (count < 4)
        return 0;
    *length = get32(bytes);
    if (*length < FRAME_HEADER_BYTES)
        return -EPROTO;
    return *length <= bytes_max ? 1 : -EMSGSIZE;
}

static void read_welcome(struct frame_welcome *welcome, const uint8_t *at)
{
    welcome->session = get64(at);
    welcome->token = get64(at + 8);
    welcome->floor = get64(at + 16);
    welcome->window = get32(at + 24);
    welcome->bytes_max = get32(at + 28);
    welcome->heartbeat_ns = get64(at + 32);
    welcome->version = get32(at + 40);
    welcome->features = get32(at + 44);
}

/* The body's fixed part, all of which is there. Returns 0 where it is none of that kind. */
static int read_fixed(struct frame *frame, const uint8_t *at)
{
    switch (frame->kind) {
    case FRAME_HELLO:
        frame->hello =
            (struct frame_hello){get32(at), get32(at + 4), get64(at + 8), get64(at + 16)};
        return 1;
    case FRAME_PROOF:
        memcpy(frame->proof.key, at, FRAME_KEY_BYTES);
        memcpy(frame->proof.signature, at + FRAME_KEY_BYTES, FRAME_SIGNATURE_BYTES);
        return 1;
    case FRAME_REQUEST:
        frame->floor = get64(at);
        return 1;
    case FRAME_BYE:
        frame->is_over = at[0];
        return at[0] <= 1;
    case FRAME_CHALLENGE:
        memcpy(frame->challenge.random, at, FRAME_CHALLENGE_BYTES);
        memcpy(frame->challenge.node, at + FRAME_CHALLENGE_BYTES, FRAME_NODE_BYTES);
        return 1;
    case FRAME_WELCOME:
        read_welcome(&frame->welcome, at);
        return 1;
    case FRAME_REPLY:
        frame->sequence = get64(at);
        return 1;
    case FRAME_REFUSED:
    case FRAME_GOODBYE:
        frame->code = get32(at);
        return 1;
    case FRAME_EVENT:
        frame->index = get32(at);
        return get32(at + 4) == 0;
    case FRAME_QUERY:
    case FRAME_SUBSCRIBE:
    case FRAME_BEAT:
        break;
    }
    return 1;
}

int frame_decode(struct frame *frame, enum frame_side side, const uint8_t *bytes, uint64_t count)
{
    const struct shape *shape;
    uint64_t head;

    if (count < FRAME_HEADER_BYTES || count > FRAME_BYTES_MAX || get32(bytes) != count)
        return -EPROTO;
    if (bytes[4] >= KINDS || bytes[6] != 0 || bytes[7] != 0)
        return -EPROTO;
    shape = &shapes[bytes[4]];
    if (!(side == FRAME_OF_CLIENT ? shape->of_client : shape->of_node))
        return -EPROTO;
    *frame = (struct frame){
        .kind = (enum frame_kind)bytes[4], .flags = bytes[5], .request = get64(bytes + 8)};
    if ((frame->flags & ~shape->flags) != 0 || (frame->request != 0 && !shape->has_request))
        return -EPROTO;
    head = FRAME_HEADER_BYTES + shape->fixed;
    if (count < head || (count > head && !shape->has_more))
        return -EPROTO;
    frame->bytes = bytes + head;
    frame->count = (uint32_t)(count - head);
    return read_fixed(frame, bytes + FRAME_HEADER_BYTES) ? 0 : -EPROTO;
}

static void write_welcome(const struct frame_welcome *welcome, uint8_t *at)
{
    put64(at, welcome->session);
    put64(at + 8, welcome->token);
    put64(at + 16, welcome->floor);
    put32(at + 24, welcome->window);
    put32(at + 28, welcome->bytes_max);
    put64(at + 32, welcome->heartbeat_ns);
    put32(at + 40, welcome->version);
    put32(at + 44, welcome->features);
}

static void write_fixed(const struct frame *frame, uint8_t *at)
{
    switch (frame->kind) {
    case FRAME_HELLO:
        put32(at, frame->hello.version);
        put32(at + 4, frame->hello.features);
        put64(at + 8, frame->hello.session);
        put64(at + 16, frame->hello.token);
        break;
    case FRAME_PROOF:
        memcpy(at, frame->proof.key, FRAME_KEY_BYTES);
        memcpy(at + FRAME_KEY_BYTES, frame->proof.signature, FRAME_SIGNATURE_BYTES);
        break;
    case FRAME_REQUEST:
        put64(at, frame->floor);
        break;
    case FRAME_BYE:
        at[0] = frame->is_over;
        break;
    case FRAME_CHALLENGE:
        memcpy(at, frame->challenge.random, FRAME_CHALLENGE_BYTES);
        memcpy(at + FRAME_CHALLENGE_BYTES, frame->challenge.node, FRAME_NODE_BYTES);
        break;
    case FRAME_WELCOME:
        write_welcome(&frame->welcome, at);
        break;
    case FRAME_REPLY:
        put64(at, frame->sequence);
        break;
    case FRAME_REFUSED:
    case FRAME_GOODBYE:
        put32(at, frame->code);
        break;
    case FRAME_EVENT:
        put32(at, frame->index);
        put32(at + 4, 0);
        break;
    case FRAME_QUERY:
    case FRAME_SUBSCRIBE:
    case FRAME_BEAT:
        break;
    }
}

uint32_t frame_encode_head(const struct frame *frame, uint8_t head[FRAME_HEAD_BYTES_MAX])
{
    const struct shape *shape = &shapes[(unsigned)frame->kind % KINDS];
    uint32_t head_bytes = FRAME_HEADER_BYTES + (uint32_t)shape->fixed;

    LAM_ASSERT((unsigned)frame->kind < KINDS);
    LAM_ASSERT(shape->of_client || shape->of_node);
    LAM_ASSERT((frame->flags & ~shape->flags) == 0 && (frame->request == 0 || shape->has_request));
    LAM_ASSERT(frame->count == 0 || shape->has_more);
    LAM_ASSERT(frame->count <= FRAME_BYTES_MAX - head_bytes);
    put32(head, head_bytes + frame->count);
    head[4] = (uint8_t)frame->kind;
    head[5] = frame->flags;
    head[6] = head[7] = 0;
    put64(head + 8, frame->request);
    write_fixed(frame, head + FRAME_HEADER_BYTES);
    return head_bytes;
}

uint32_t frame_encode(const struct frame *frame, uint8_t *bytes, uint64_t room)
{
    uint8_t head[FRAME_HEAD_BYTES_MAX];
    uint32_t head_bytes = frame_encode_head(frame, head);

    if (head_bytes + (uint64_t)frame->count > room)
        return 0;
    memcpy(bytes, head, head_bytes);
    if (frame->count != 0)
        memcpy(bytes + head_bytes, frame->bytes, frame->count);
    return head_bytes + frame->count;
}
