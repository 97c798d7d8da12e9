/* SPDX-License-Identifier: Apache-2.0 */
/* A number that is added to (counter.fbs). */
#include <endian.h>
#include <stdlib.h>

#include "apps.h"
#include "counter.h"

enum { REFUSED_MALFORMED = 1, REFUSED_OVERFLOW = 2 };

struct state {
    int64_t total;
};

static void *create(const void *config)
{
    return calloc(1, sizeof(struct state));
}

/* On the reader's thread: apply sees only what is well formed. */
static void decode(const void *config, uint32_t role, int is_query, const void *bytes, size_t count,
    struct lam_app_request *request)
{
    int is_good = is_query ? count == 0 : counter_Add_verify(bytes, count, NULL) == 0;

    *request = (struct lam_app_request){
        .kind = is_query ? LAM_APP_QUERY : LAM_APP_EVENT, .bytes = bytes, .count = count};
    if (!is_good) {
        request->kind = LAM_APP_REFUSED;
        request->code = REFUSED_MALFORMED;
        request->text = "an event is an Add, a query has no bytes";
    }
}

static const void *total_of(const struct state *state, uint64_t memory[8], size_t *size)
{
    struct lam_fb_builder b;

    lam_fb_builder_init(&b, memory, 8 * sizeof(memory[0]));
    counter_Total_set_total(&b, counter_Total_start(&b), state->total);
    return counter_Total_finish(&b, size) == 0 ? memory : NULL;
}

static void apply(void *to, const struct lam_app_context *context, const void *bytes, size_t count,
    struct lam_app_output *output)
{
    struct state *state = to;
    uint64_t memory[8];
    size_t size = 0;
    int64_t total;

    if (__builtin_add_overflow(
            state->total, counter_Add_get_amount(counter_Add_root(bytes)), &total)) {
        lam_app_refuse(output, REFUSED_OVERFLOW, "the number would pass its end");
        return;
    }
    state->total = total;
    (void)total_of(state, memory, &size);
    (void)lam_app_reply(output, memory, size);
    (void)lam_app_publish(output, memory, size);
}

static void query(const void *of, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    uint64_t memory[8];
    size_t size = 0;

    (void)total_of(of, memory, &size);
    (void)lam_app_reply(output, memory, size);
}

static int snapshot(const void *of, struct lam_app_writer *writer)
{
    uint64_t total = htole64((uint64_t)((const struct state *)of)->total);

    return lam_app_write(writer, &total, sizeof(total));
}

static int restore(void *to, struct lam_app_reader *reader)
{
    uint64_t total;
    int result = lam_app_read(reader, &total, sizeof(total));

    if (result == 0)
        ((struct state *)to)->total = (int64_t)le64toh(total);
    return result;
}

static void digest(const void *of, struct lam_app_digest *digest)
{
    uint64_t total = htole64((uint64_t)((const struct state *)of)->total);

    lam_app_digest_add(digest, &total, sizeof(total));
}

const struct lam_app counter_app = {.name = "counter",
    .version = 1,
    .event_bytes_max = 64,
    .reply_bytes_max = 64,
    .publish_bytes_max = 64,
    .create = create,
    .destroy = free,
    .apply = apply,
    .query = query,
    .snapshot = snapshot,
    .restore = restore,
    .digest = digest,
    .decode = decode};
