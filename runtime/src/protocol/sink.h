/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SINK_H
#define LAM_RUNTIME_SINK_H

/*
 * sink.h: elements of a body into the caller's room, by msgpack-c's packer and a sink of our own,
 * which counts on where the room ends: so who has too little is told how much it takes.
 */

#include <errno.h>
#include <msgpack/pack.h>
#include <string.h>

#include "lamina/runtime/messages.h"

struct sink {
    uint8_t *bytes; /* NULL: only count */
    uint64_t used;
    uint64_t capacity;
    int rc;
    msgpack_packer packer;
};

static inline int sink_write(void *data, const char *bytes, size_t size)
{
    struct sink *sink = data;

    if (sink->bytes != NULL && sink->used <= sink->capacity &&
        size <= sink->capacity - sink->used && size != 0)
        memcpy(sink->bytes + sink->used, bytes, size);
    sink->used += size;
    return 0;
}

static inline void begin_writing(struct sink *sink, void *room, uint64_t capacity, uint64_t used)
{
    *sink = (struct sink){.bytes = room, .used = used, .capacity = capacity};
    msgpack_packer_init(&sink->packer, sink, sink_write);
}

static inline int end_writing(const struct sink *sink, uint64_t *bytes)
{
    if (sink->rc != 0)
        return sink->rc;
    *bytes = sink->used;
    return sink->bytes == NULL || sink->used <= sink->capacity ? 0 : -ENOSPC;
}

/* ---- one element ---- */

static inline void put_array(struct sink *sink, uint32_t count)
{
    (void)msgpack_pack_array(&sink->packer, count);
}

static inline void put_number(struct sink *sink, uint64_t value)
{
    (void)msgpack_pack_uint64(&sink->packer, value);
}

static inline void put_signed(struct sink *sink, int64_t value)
{
    (void)msgpack_pack_int64(&sink->packer, value);
}

/* One of 0 to @max. */
static inline void put_choice(struct sink *sink, uint64_t value, uint64_t max)
{
    if (value > max)
        sink->rc = -EINVAL;
    put_number(sink, value);
}

static inline void put_unless(struct sink *sink, uint64_t value, uint64_t none)
{
    if (value == none)
        (void)msgpack_pack_nil(&sink->packer);
    else
        put_number(sink, value);
}

/* More than a body may have would not even be a length. */
static inline int is_large(struct sink *sink, const struct lam_protocol_view *view)
{
    if (view->bytes > LAM_PROTOCOL_BODY_BYTES_MAX)
        sink->rc = -EMSGSIZE;
    return view->bytes > LAM_PROTOCOL_BODY_BYTES_MAX;
}

static inline void put_text(struct sink *sink, const struct lam_protocol_view *view)
{
    if (is_large(sink, view))
        return;
    (void)msgpack_pack_str(&sink->packer, view->bytes);
    (void)msgpack_pack_str_body(&sink->packer, view->data, view->bytes);
}

static inline void put_bytes(struct sink *sink, const struct lam_protocol_view *view)
{
    if (is_large(sink, view))
        return;
    (void)msgpack_pack_bin(&sink->packer, view->bytes);
    (void)msgpack_pack_bin_body(&sink->packer, view->data, view->bytes);
}

static inline void put_id(struct sink *sink, const uint8_t id[16])
{
    struct lam_protocol_view view = {id, 16};

    put_bytes(sink, &view);
}

static inline void put_id_unless_0(struct sink *sink, const uint8_t id[16])
{
    static const uint8_t none[16];

    if (memcmp(id, none, sizeof(none)) == 0)
        (void)msgpack_pack_nil(&sink->packer);
    else
        put_id(sink, id);
}

/* In reports.c. */
void lam_protocol_put_negotiation(
    struct sink *sink, const struct lam_protocol_negotiation *negotiation);

#endif
