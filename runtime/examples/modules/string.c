/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string.c: bytes in, bytes out, and memory for the time of one call.
 *
 *     cc -shared -fPIC -O2 -o string.so string.c
 *
 *     upper      ASCII letters become capitals, other bytes stay
 *     reverse    the last byte first
 *     join       the request is a row of pieces, each a byte of length and so many bytes; the first
 *                is put between the others. -EINVAL it ends within a piece; -ENOMEM there are more
 *                pieces than the arena has room for
 */
#include "lamina/runtime/module.h"

struct piece {
    const uint8_t *at;
    uint64_t bytes;
    struct piece *next;
};

static int upper(struct lam_call *call)
{
    const uint8_t *from = (const uint8_t *)call->request;
    void *reply;
    int rc = lam_call_reserve(call, call->request_bytes, &reply);

    for (uint64_t i = 0; rc == 0 && i < call->request_bytes; i++)
        ((uint8_t *)reply)[i] = from[i] >= 'a' && from[i] <= 'z' ? from[i] & 0xdf : from[i];
    return rc;
}

static int reverse(struct lam_call *call)
{
    const uint8_t *from = (const uint8_t *)call->request;
    void *reply;
    int rc = lam_call_reserve(call, call->request_bytes, &reply);

    for (uint64_t i = 0; rc == 0 && i < call->request_bytes; i++)
        ((uint8_t *)reply)[i] = from[call->request_bytes - 1 - i];
    return rc;
}

/* A list of the request's pieces, in the arena: nobody frees it. */
static int split(struct lam_call *call, struct piece **first)
{
    const uint8_t *at = (const uint8_t *)call->request;
    uint64_t left = call->request_bytes;
    struct piece **end = first;

    *first = NULL;
    while (left > 0) {
        struct piece *piece = (struct piece *)lam_call_arena_take(&call->arena, sizeof(*piece), 8);

        if (piece == NULL)
            return -ENOMEM;
        if (left - 1 < *at)
            return -EINVAL;
        piece->at = at + 1;
        piece->bytes = *at;
        piece->next = NULL;
        *end = piece;
        end = &piece->next;
        left -= 1 + piece->bytes;
        at += 1 + piece->bytes;
    }
    return *first != NULL ? 0 : -EINVAL;
}

static uint8_t *append(uint8_t *at, const struct piece *piece)
{
    if (piece->bytes != 0)
        memcpy(at, piece->at, piece->bytes);
    return at + piece->bytes;
}

static int join(struct lam_call *call)
{
    struct piece *between;
    uint64_t bytes = 0;
    void *reply;
    int rc = split(call, &between);

    if (rc != 0)
        return rc;
    for (const struct piece *piece = between->next; piece != NULL; piece = piece->next)
        bytes += piece->bytes + (piece->next != NULL ? between->bytes : 0);
    rc = lam_call_reserve(call, bytes, &reply);
    for (const struct piece *piece = between->next; rc == 0 && piece != NULL; piece = piece->next) {
        reply = append((uint8_t *)reply, piece);
        if (piece->next != NULL)
            reply = append((uint8_t *)reply, between);
    }
    return rc;
}

#define PURE (LAM_METHOD_IDEMPOTENT | LAM_METHOD_CACHEABLE)
#define METHODS(METHOD)                                                                            \
    METHOD(upper, "upper", PURE)                                                                   \
    METHOD(reverse, "reverse", PURE)                                                               \
    METHOD(join, "join", PURE)

LAM_MODULE("string", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
