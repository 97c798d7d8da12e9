/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_READING_H
#define LAM_RUNTIME_READING_H

/*
 * reading.h: the elements of a body, one after the other. Nothing is copied; the first one that is
 * wrong ends it.
 */

#include <errno.h>
#include <string.h>

#include "lamina/codecs/msgpack/read.h"
#include "lamina/runtime/messages.h"

/* Elements of one array, read in order. After an error everything that follows does nothing. */
struct reading {
    struct lam_mp_reader mp;
    uint64_t left; /* elements of this array */
    const char *what;
    const char *reason;
    int rc;
};

static inline void fail(struct reading *r, const char *what, const char *reason)
{
    if (r->rc != 0)
        return;
    r->rc = -EBADMSG;
    r->what = what;
    r->reason = reason;
}

/* Note what a call of the reader said of @what. */
static inline void check(struct reading *r, const char *what, int rc)
{
    if (rc != 0)
        fail(r, what, r->mp.reason);
}

/* Is there another element? */
static inline int is_next(struct reading *r)
{
    if (r->rc != 0 || r->left == 0)
        return 0;
    r->left--;
    return 1;
}

static inline void open_array(struct reading *r, const char *what, uint32_t wanted)
{
    uint32_t count = 0;

    if (r->rc != 0)
        return;
    check(r, what, lam_mp_get_array(&r->mp, &count));
    if (count < wanted)
        fail(r, what, "it has too few elements");
    r->left = count;
}

/* What a later version has put behind what is known here. */
static inline void close_array(struct reading *r, const char *what)
{
    while (is_next(r))
        check(r, what, lam_mp_skip(&r->mp));
}

static inline void take_text(struct reading *r, const char *what, struct lam_protocol_view *view)
{
    struct lam_string text = {NULL, 0};

    if (!is_next(r))
        return;
    check(r, what, lam_mp_get_str(&r->mp, &text));
    *view = (struct lam_protocol_view){text.data, text.size};
}

static inline void take_bytes(struct reading *r, const char *what, struct lam_protocol_view *view)
{
    struct lam_u8_span span = {NULL, 0};

    if (!is_next(r))
        return;
    check(r, what, lam_mp_get_bin(&r->mp, &span));
    *view = (struct lam_protocol_view){span.data, span.count};
}

/* @absent where the array has ended, from 0 to @max where it has not. */
static inline uint64_t take_number(
    struct reading *r, const char *what, uint64_t max, uint64_t absent)
{
    uint64_t value = absent;

    if (!is_next(r))
        return absent;
    check(r, what, lam_mp_get_u64(&r->mp, &value));
    if (r->rc == 0 && value > max)
        fail(r, what, "it is too large");
    return value;
}

static inline int64_t take_signed(struct reading *r, const char *what, int64_t min, int64_t max)
{
    int64_t value = 0;

    if (!is_next(r))
        return 0;
    check(r, what, lam_mp_get_i64(&r->mp, &value));
    if (r->rc == 0 && (value < min || value > max))
        fail(r, what, "it is outside its range");
    return value;
}

/* A nil is @none. */
static inline uint64_t take_unless(struct reading *r, const char *what, uint64_t none)
{
    if (r->rc == 0 && r->left != 0 && lam_mp_try_nil(&r->mp)) {
        r->left--;
        return none;
    }
    return take_number(r, what, UINT64_MAX, none);
}

/* Nothing is set where the array has ended. */
static inline void take_id(struct reading *r, const char *what, uint8_t id[16])
{
    struct lam_protocol_view view = {NULL, 0};

    if (r->rc == 0 && r->left == 0)
        return;
    take_bytes(r, what, &view);
    if (r->rc == 0 && view.bytes != 16)
        fail(r, what, "not 16 bytes");
    if (r->rc == 0)
        memcpy(id, view.data, 16);
}

static inline void take_id_or_nil(struct reading *r, const char *what, uint8_t id[16])
{
    if (r->rc == 0 && r->left != 0 && lam_mp_try_nil(&r->mp))
        r->left--;
    else
        take_id(r, what, id);
}

static inline void begin_reading(struct reading *r, const void *bytes, uint64_t count)
{
    *r = (struct reading){.what = "", .reason = ""};
    lam_mp_init(&r->mp, bytes, count);
}

static inline int end_reading(struct reading *r, const char *name, struct lam_error *error)
{
    close_array(r, name);
    if (r->rc == 0 && r->mp.at != r->mp.end)
        fail(r, name, "bytes follow it");
    if (r->rc == 0)
        return 0;
    return lam_error_set(error, r->rc, "a message's body, at byte %zu: %s: %s",
        lam_mp_offset(&r->mp), r->what, r->reason);
}

/* In reports.c. */
void lam_protocol_take_negotiation(struct reading *r, struct lam_protocol_negotiation *negotiation);

#endif
