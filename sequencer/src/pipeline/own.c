/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own.c: the reader's own records: of this process, of the start, of time and of digests.
 */
#include <string.h>

#include "pipeline/reader.h"

static int put_u64(
    struct reader *reader, uint16_t kind, uint64_t value, const void *data, size_t count)
{
    struct put put = {.kind = kind,
        .head = &value,
        .head_bytes = sizeof(value),
        .data = data,
        .bytes = (uint32_t)count};

    return reader_try_put(reader, &put);
}

static int put_nothing(struct reader *reader, uint16_t kind)
{
    struct put put = {.kind = kind};

    return reader_try_put(reader, &put);
}

static int put_epoch(struct reader *reader)
{
    if (!put_u64(reader, RECORD_EPOCH, journal_epoch(&reader->node->journaling.journal), NULL, 0))
        return 0;
    reader->phase = reader->startup_index == UINT32_MAX ? READER_SERVING : READER_STARTUP;
    return 1;
}

/*
 * The next event of the application's own. They go on where an earlier process has stopped, and
 * RECORD_STARTED, which is behind the last, says that none will ever come again.
 */
static int put_startup(struct reader *reader)
{
    const struct lam_app *app = reader->node->app;
    const void *bytes = NULL;
    size_t count = 0;

    if (app->startup != NULL &&
        app->startup(app->config, reader->startup_index, &bytes, &count) == 1) {
        LAM_ASSERT(count <= app->event_bytes_max);
        if (!put_u64(reader, RECORD_STARTUP, reader->startup_index, bytes, count))
            return 0;
        reader->startup_index++;
        return 1;
    }
    if (!put_nothing(reader, RECORD_STARTED))
        return 0;
    reader->startup_index = UINT32_MAX;
    reader->phase = READER_SERVING;
    return 1;
}

static int put_tick(struct reader *reader)
{
    uint64_t now_ns = reader->env->ops->now_ns(reader->env);

    int is_full = (int)lam_load_relaxed(&reader->node->is_full);

    /* A full disk has no room for ticks: time goes on with the next event. */
    if (now_ns < reader->tick_ns || (!is_full && !put_nothing(reader, RECORD_TICK)))
        return 0;
    reader->tick_ns = now_ns + reader->node->settings.tick_ns;
    return !is_full;
}

/* What all copies keep a digest of, and what the live one's was. */
static int put_digest(struct reader *reader)
{
    struct node *node = reader->node;
    struct record_compare compare;
    struct put put = {.kind = RECORD_COMPARE, .head = &compare, .head_bytes = sizeof(compare)};

    /* The application stage has stored the digest before its sequence, and stores no other yet. */
    compare.sequence = lam_load_acquire(&node->digest_sequence);
    if (compare.sequence != 0) {
        memcpy(compare.digest, node->digest, sizeof(compare.digest));
        if (!reader_try_put(reader, &put))
            return 0;
        lam_store_release(&node->digest_sequence, 0);
        reader->is_digest_due = 0;
        reader->digest_at = reader->next_sequence + node->settings.digest_events;
        return 1;
    }
    if (reader->is_digest_due || reader->next_sequence < reader->digest_at ||
        !put_nothing(reader, RECORD_DIGEST))
        return 0;
    reader->is_digest_due = 1;
    return 1;
}

unsigned reader_put_own(struct reader *reader)
{
    switch (reader->phase) {
    case READER_EPOCH:
        return (unsigned)put_epoch(reader);
    case READER_STARTUP:
        return (unsigned)put_startup(reader);
    case READER_SERVING:
        return (unsigned)put_digest(reader) + (unsigned)put_tick(reader);
    case READER_ENDED:
        break;
    }
    return 0;
}

uint64_t reader_own_due_ns(const struct reader *reader)
{
    return reader->phase == READER_SERVING ? reader->tick_ns : 0;
}
