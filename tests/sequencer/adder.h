/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ADDER_H
#define TEST_ADDER_H

/*
 * adder.h: an application of one number. An event is a u64 that is added; the reply, what is
 * published and what a query is answered is the sum. 0 is refused.
 */

#include <stdlib.h>
#include <string.h>

#include "lamina/sequencer/app.h"

static void *adder_create(const void *config)
{
    (void)config;
    return calloc(1, sizeof(uint64_t));
}

static void adder_destroy(void *state)
{
    free(state);
}

static void adder_apply(void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    uint64_t *sum = state, value = 0;

    (void)context;
    memcpy(&value, bytes, count < sizeof(value) ? count : sizeof(value));
    if (value == 0) {
        lam_app_refuse(output, 5, "nothing is not added");
        return;
    }
    *sum += value;
    (void)lam_app_reply(output, sum, sizeof(*sum));
    (void)lam_app_publish(output, sum, sizeof(*sum));
}

static void adder_query(const void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    (void)context;
    (void)bytes;
    (void)count;
    (void)lam_app_reply(output, state, sizeof(uint64_t));
}

static int adder_snapshot(const void *state, struct lam_app_writer *writer)
{
    return lam_app_write(writer, state, sizeof(uint64_t));
}

static int adder_restore(void *state, struct lam_app_reader *reader)
{
    return lam_app_read(reader, state, sizeof(uint64_t));
}

static void adder_digest(const void *state, struct lam_app_digest *digest)
{
    lam_app_digest_add(digest, state, sizeof(uint64_t));
}

static const struct lam_app adder = {.name = "adder",
    .version = 1,
    .event_bytes_max = 64,
    .reply_bytes_max = 8,
    .publish_bytes_max = 8,
    .create = adder_create,
    .destroy = adder_destroy,
    .apply = adder_apply,
    .query = adder_query,
    .snapshot = adder_snapshot,
    .restore = adder_restore,
    .digest = adder_digest};

#endif
