/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_SUM_APP_H
#define LAM_TEST_SUM_APP_H

/*
 * sum_app.h: the smallest application that can show what a pipeline does. An event is a u64, which
 * is added to a sum, and is answered by the new sum. Some numbers mean more than themselves. The
 * sum that comes of events alone is known to a test without any sequencer.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/sequencer/app.h"

#define SUM_PUBLISHED 1000   /* numbers from here on are published, with the sum behind them */
#define SUM_REFUSED   100000 /* this one is refused, with code 7 */
#define SUM_STARTUP   3      /* startup events: 10, 20, 30 */

struct sum_config {
    int has_startup;
    int is_unlike; /* another application in the same clothes: its sums are other ones */
};

struct sum {
    uint64_t sum, events, ticks, last_time_ns;
    const struct sum_config *config;
};

static inline void *sum_create(const void *config)
{
    struct sum *sum = calloc(1, sizeof(*sum));

    if (sum != NULL)
        sum->config = config;
    return sum;
}

static inline void sum_destroy(void *state)
{
    free(state);
}

static inline void sum_apply(void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    struct sum *sum = state;
    uint64_t value = 0;

    if (count != sizeof(value)) {
        lam_app_refuse(output, 1, "eight bytes");
        return;
    }
    memcpy(&value, bytes, sizeof(value));
    if (value == SUM_REFUSED) {
        lam_app_refuse(output, 7, "not this one");
        return;
    }
    sum->sum += value + (uint64_t)(sum->config->is_unlike != 0);
    sum->events++;
    sum->last_time_ns = context->time_ns;
    if (context->session != 0)
        (void)lam_app_reply(output, &sum->sum, sizeof(sum->sum));
    if (value >= SUM_PUBLISHED)
        (void)lam_app_publish(output, &sum->sum, sizeof(sum->sum));
}

static inline void sum_tick(
    void *state, const struct lam_app_context *context, struct lam_app_output *output)
{
    (void)context;
    (void)output;
    ((struct sum *)state)->ticks++;
}

static inline void sum_query(const void *state, const struct lam_app_context *context,
    const void *bytes, size_t count, struct lam_app_output *output)
{
    const struct sum *sum = state;

    (void)context;
    (void)bytes;
    (void)count;
    (void)lam_app_reply(output, &sum->sum, sizeof(sum->sum));
}

static inline int sum_snapshot(const void *state, struct lam_app_writer *writer)
{
    return lam_app_write(writer, state, offsetof(struct sum, config));
}

static inline int sum_restore(void *state, struct lam_app_reader *reader)
{
    return lam_app_read(reader, state, offsetof(struct sum, config));
}

static inline void sum_digest(const void *state, struct lam_app_digest *digest)
{
    lam_app_digest_add(digest, state, offsetof(struct sum, config));
}

static inline int sum_startup(const void *config, uint32_t index, const void **bytes, size_t *count)
{
    static const uint64_t values[SUM_STARTUP] = {10, 20, 30};

    if (!((const struct sum_config *)config)->has_startup || index >= SUM_STARTUP)
        return 0;
    *bytes = &values[index];
    *count = sizeof(values[index]);
    return 1;
}

static inline struct lam_app sum_app(const struct sum_config *config)
{
    return (struct lam_app){.name = "sum",
        .version = 1,
        .event_bytes_max = 64,
        .reply_bytes_max = 64,
        .publish_bytes_max = 64,
        .config = config,
        .create = sum_create,
        .destroy = sum_destroy,
        .apply = sum_apply,
        .tick = sum_tick,
        .query = sum_query,
        .snapshot = sum_snapshot,
        .restore = sum_restore,
        .digest = sum_digest,
        .startup = sum_startup};
}

#endif
