/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, filled by the sequencer's time (limiter.fbs). */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps.h"
#include "limiter.h"

enum { BUCKETS_MAX = 4096 };
enum { REFUSED_MALFORMED = 1, REFUSED_FULL = 2 };

struct limits {
    uint64_t token_ns; /* a token drips into each bucket in this time */
    uint32_t burst;    /* tokens of a full bucket */
};

/*
 * All of a bucket is the time at which it will be full again: it has as many tokens as drip times
 * do not fit between now and then. One that is full already needs no place. In little-endian order,
 * as in a snapshot.
 */
struct bucket {
    uint64_t name, full_ns;
};

struct state {
    struct limits limits;
    uint32_t count;
    struct bucket sorted[BUCKETS_MAX]; /* by name */
};

static void *create(const void *config)
{
    struct state *state = calloc(1, sizeof(*state));

    if (state != NULL)
        memcpy(&state->limits, config, sizeof(state->limits));
    return state;
}

static void decode(const void *config, uint32_t role, int is_query, const void *bytes, size_t count,
    struct lam_app_request *request)
{
    int is_good =
        limiter_Take_verify(bytes, count, NULL) == 0 &&
        limiter_Take_get_tokens(limiter_Take_root(bytes)) <= ((const struct limits *)config)->burst;

    *request = (struct lam_app_request){.bytes = bytes,
        .count = count,
        .code = REFUSED_MALFORMED,
        .text = "an event or query is a Take, of no more tokens than a bucket holds"};
    request->kind = !is_good ? LAM_APP_REFUSED : is_query ? LAM_APP_QUERY : LAM_APP_EVENT;
}

/* Returns whether it has a place, and which, or which it would have. */
static int find(const struct state *state, uint64_t name, uint32_t *place)
{
    uint32_t low = 0, high = state->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (le64toh(state->sorted[middle].name) < name)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return low < state->count && le64toh(state->sorted[low].name) == name;
}

/*
 * Answer what taking @tokens from the bucket that is full at @full_ns comes to. Returns when it
 * will be full afterwards, or 0: it is not granted.
 */
static uint64_t answer(const struct limits *limits, uint64_t full_ns, uint64_t now_ns,
    uint32_t tokens, struct lam_app_output *output)
{
    uint64_t missing_ns = full_ns > now_ns ? full_ns - now_ns : 0;
    uint64_t after_ns = missing_ns + tokens * limits->token_ns;
    uint64_t all_ns = limits->burst * limits->token_ns, memory[8];
    int is_granted = after_ns <= all_ns;
    struct lam_fb_builder b;
    struct limiter_Grant_at at;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    at = limiter_Grant_start(&b);
    limiter_Grant_set_granted(&b, at, is_granted != 0);
    limiter_Grant_set_left(
        &b, at, (uint32_t)((all_ns - (is_granted ? after_ns : missing_ns)) / limits->token_ns));
    limiter_Grant_set_wait_ns(&b, at, is_granted ? 0 : after_ns - all_ns);
    if (limiter_Grant_finish(&b, &size) == 0)
        (void)lam_app_reply(output, memory, size);
    return is_granted ? now_ns + after_ns : 0;
}

/* Give back the places of buckets that are full by now: none answers otherwise for that. */
static void tick(void *to, const struct lam_app_context *context, struct lam_app_output *output)
{
    struct state *state = to;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < state->count; i++)
        if (le64toh(state->sorted[i].full_ns) > context->time_ns)
            state->sorted[kept++] = state->sorted[i];
    state->count = kept;
}

static void apply(void *to, const struct lam_app_context *context, const void *bytes, size_t count,
    struct lam_app_output *output)
{
    struct limiter_Take_view take = limiter_Take_root(bytes);
    struct state *state = to;
    uint64_t name = limiter_Take_get_bucket(take), full_ns;
    uint32_t place;
    int is_there;

    if (state->count == BUCKETS_MAX)
        tick(state, context, output);
    is_there = find(state, name, &place);
    if (!is_there && state->count == BUCKETS_MAX) {
        lam_app_refuse(output, REFUSED_FULL, "4096 buckets are in use");
        return;
    }
    full_ns = answer(&state->limits, is_there ? le64toh(state->sorted[place].full_ns) : 0,
        context->time_ns, limiter_Take_get_tokens(take), output);
    if (full_ns == 0)
        return;
    if (!is_there) {
        struct bucket *bucket = &state->sorted[place];

        memmove(bucket + 1, bucket, (state->count++ - place) * sizeof(*bucket));
        bucket->name = htole64(name);
    }
    state->sorted[place].full_ns = htole64(full_ns);
}

static void query(const void *of, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    struct limiter_Take_view take = limiter_Take_root(bytes);
    const struct state *state = of;
    uint32_t place;
    int is_there = find(state, limiter_Take_get_bucket(take), &place);

    (void)answer(&state->limits, is_there ? le64toh(state->sorted[place].full_ns) : 0,
        context->time_ns, limiter_Take_get_tokens(take), output);
}

static int snapshot(const void *of, struct lam_app_writer *writer)
{
    const struct state *state = of;

    return lam_app_write(writer, state->sorted, state->count * sizeof(struct bucket));
}

static int restore(void *to, struct lam_app_reader *reader)
{
    struct state *state = to;
    uint64_t bytes = lam_app_left(reader);

    if (bytes % sizeof(struct bucket) != 0 || bytes > sizeof(state->sorted))
        return -EBADMSG;
    state->count = (uint32_t)(bytes / sizeof(struct bucket));
    for (uint32_t i = 0; i < state->count; i++) {
        if (lam_app_read(reader, &state->sorted[i], sizeof(struct bucket)) != 0 ||
            (i > 0 && le64toh(state->sorted[i].name) <= le64toh(state->sorted[i - 1].name)))
            return -EBADMSG;
    }
    return 0;
}

static void digest(const void *of, struct lam_app_digest *digest)
{
    const struct state *state = of;

    lam_app_digest_add(digest, state->sorted, state->count * sizeof(struct bucket));
}

static const struct limits limits = {.token_ns = 10000000, .burst = 20}; /* 100 a second */

const struct lam_app limiter_app = {.name = "limiter",
    .version = 1,
    .event_bytes_max = 64,
    .reply_bytes_max = 64,
    .config = &limits,
    .create = create,
    .destroy = free,
    .apply = apply,
    .tick = tick,
    .query = query,
    .snapshot = snapshot,
    .restore = restore,
    .digest = digest,
    .decode = decode};
