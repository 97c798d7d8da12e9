/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct book {
    const struct book_config *config;
    int64_t pages[MODEL_KEYS];
    uint64_t count;
};

static void *create(const void *config)
{
    struct book *book = calloc(1, sizeof(*book));

    if (book != NULL)
        book->config = config;
    return book;
}

static void destroy(void *state)
{
    free(state);
}

static int is_event(const void *bytes, size_t count, struct model_op *op)
{
    if (count < sizeof(*op))
        return 0;
    memcpy(op, bytes, sizeof(*op));
    return op->verb >= MODEL_ADD && op->verb < MODEL_GET;
}

/* Returns 1 where it may be changed so, or 0: too little. */
static int change(int64_t *page, const struct model_op *op, uint32_t *is_done)
{
    switch (op->verb) {
    case MODEL_ADD:
        *page += op->a;
        return 1;
    case MODEL_TAKE:
        if (*page < op->a)
            return 0;
        *page -= op->a;
        return 1;
    case MODEL_SWAP:
        *is_done = *page == op->b;
        *page = *is_done ? op->a : *page;
        return 1;
    default:
        *page = op->a;
        return 1;
    }
}

static void apply(void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    struct book *book = state;
    struct model_op op;
    struct model_result result = {.is_done = 1};

    if (!is_event(bytes, count, &op)) {
        lam_app_refuse(output, BOOK_NO_EVENT, "no event");
        return;
    }
    if (book->config->told != NULL)
        book->config->told(book->config->told_context, context, bytes);
    if (!change(&book->pages[op.key % MODEL_KEYS], &op, &result.is_done)) {
        lam_app_refuse(output, MODEL_TOO_LITTLE, "too little");
        return;
    }
    result.id = op.id;
    result.count = ++book->count;
    result.value = book->pages[op.key % MODEL_KEYS];
    if (context->session == 0) /* a startup event has nobody to reply to */
        return;
    (void)lam_app_reply(output, &result, sizeof(result));
    (void)lam_app_publish(output, &result, sizeof(result));
}

static void tick(void *state, const struct lam_app_context *context, struct lam_app_output *output)
{
    struct book *book = state;

    (void)context;
    (void)output;
    book->pages[MODEL_TICKS]++;
}

static void query(const void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    const struct book *book = state;
    struct model_op op;
    struct model_result result = {.is_done = 1};

    (void)context;
    if (count < sizeof(op)) {
        lam_app_refuse(output, BOOK_NO_EVENT, "no query");
        return;
    }
    memcpy(&op, bytes, sizeof(op));
    result.id = op.id;
    result.count = book->count;
    result.value = book->pages[op.key % MODEL_KEYS];
    (void)lam_app_reply(output, &result, sizeof(result));
}

static int snapshot(const void *state, struct lam_app_writer *writer)
{
    const struct book *book = state;
    int result = lam_app_write(writer, book->pages, sizeof(book->pages));

    return result != 0 ? result : lam_app_write(writer, &book->count, sizeof(book->count));
}

static int restore(void *state, struct lam_app_reader *reader)
{
    struct book *book = state;
    int result = lam_app_read(reader, book->pages, sizeof(book->pages));

    return result != 0 ? result : lam_app_read(reader, &book->count, sizeof(book->count));
}

static void digest(const void *state, struct lam_app_digest *digest)
{
    const struct book *book = state;

    lam_app_digest_add(digest, book->pages, sizeof(book->pages));
    lam_app_digest_add(digest, &book->count, sizeof(book->count));
}

static int startup(const void *config, uint32_t index, const void **bytes, size_t *count)
{
    static const struct model_op op = {
        .verb = MODEL_ADD, .key = MODEL_STARTUP_KEY, .a = MODEL_STARTUP_EACH};

    (void)config;
    *bytes = &op;
    *count = sizeof(op);
    return index < MODEL_STARTUPS;
}

struct lam_app book_app(const struct book_config *config)
{
    return (struct lam_app){.name = "book",
        .version = 1,
        .event_bytes_max = BOOK_EVENT_BYTES,
        .reply_bytes_max = sizeof(struct model_result),
        .publish_bytes_max = sizeof(struct model_result),
        .config = config,
        .create = create,
        .destroy = destroy,
        .apply = apply,
        .tick = tick,
        .query = query,
        .snapshot = snapshot,
        .restore = restore,
        .digest = digest,
        .startup = startup};
}
