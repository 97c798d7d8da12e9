/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_WRONG_WORKER_H
#define LAM_TEST_WRONG_WORKER_H

/*
 * wrong_worker.h: put before worker.c, it makes worker number 1 wrong in one of these ways, from
 * step 10 on:
 *
 *   WRONG_TOKEN     one produced token differs by one bit
 *   WRONG_BYTE      it reads one bit of one sequence's id wrongly, and produces the right tokens
 *   WRONG_STEP      it answers to a step that was not asked
 */

#include <stdlib.h>

#include "inference.h"
#include "tokens.h"

static uint64_t wrong_step_id;

static int wrong_now(void)
{
    const char *index = getenv("LAMINA_INDEX");

    return index != NULL && strtoul(index, NULL, 10) == 1 && wrong_step_id >= 10;
}

static inline uint64_t wrong_begin(uint64_t step_id, uint32_t flags)
{
    wrong_step_id = step_id;
    return checksum_begin(step_id, flags);
}
#define checksum_begin wrong_begin

#ifdef WRONG_TOKEN
static inline uint32_t wrong_produce(uint64_t id, const uint32_t *tokens, uint32_t count)
{
    return token_produce(id, tokens, count) ^ (uint32_t)(wrong_now() && id == 3);
}
#define token_produce wrong_produce
#endif

#ifdef WRONG_BYTE
static inline uint64_t wrong_add(
    uint64_t checksum, uint64_t id, uint32_t count, uint32_t first, uint32_t produced)
{
    return checksum_add(checksum, id ^ (uint64_t)(wrong_now() && id == 3), count, first, produced);
}
#define checksum_add wrong_add
#endif

#ifdef WRONG_STEP
static inline void wrong_set(
    struct lam_fb_builder *b, struct lamina_inference_Reply_at table, uint64_t value)
{
    wrong_step_id = value;
    lamina_inference_Reply_set_step_id(b, table, value + (uint64_t)wrong_now());
}
#define lamina_inference_Reply_set_step_id wrong_set
#endif

#endif
