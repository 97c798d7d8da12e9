/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_TOKENS_H
#define LAM_INFERENCE_TOKENS_H

/*
 * tokens.h: the model. Small, deterministic, and it looks at every byte.
 *
 * In each step a sequence is sent as its latest token, then the next piece of its prompt, if any of
 * that is left. The latest token is all that there is to know of what came before, so a worker
 * keeps nothing between steps, and how a prompt is cut into pieces changes nothing:
 *
 *     latest token | prompt piece   ->   produced token   (one of the prompt's; more pieces follow,
 *                                                          or the first generated one)
 *     latest token                  ->   produced token   (the next generated one)
 *
 * A sequence begins with a token made of its id. Produced tokens depend on every token sent so far,
 * the checksum of a step on every byte of it, ids and counts too.
 */

#include <stdint.h>

/* An odd multiplication and a shift: one-to-one, so that no difference between inputs is lost. */
static inline uint64_t token_mix(uint64_t state, uint64_t value)
{
    state = (state ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ (state >> 29);
}

static inline uint32_t token_of(uint64_t state)
{
    return (uint32_t)(state ^ (state >> 32));
}

/* The token that the sequence @id begins with. */
static inline uint32_t token_first(uint64_t id)
{
    return token_of(token_mix(UINT64_C(0x6c616d696e61), id));
}

/* Token @index of the prompt of request @id: nobody's text, only its length is in a trace. */
static inline uint32_t token_prompt(uint64_t id, uint32_t index)
{
    return token_of(token_mix(token_mix(UINT64_C(0x70726f6d7074), id), index));
}

/* The latest token, after one more token of the prompt. */
static inline uint32_t token_after_prompt(uint32_t latest, uint32_t token)
{
    return token_of(token_mix(latest, token));
}

/* The next generated token of the sequence @id. */
static inline uint32_t token_after(uint32_t latest, uint64_t id)
{
    return token_of(token_mix(token_mix(UINT64_C(0x67656e), id), latest));
}

/* What a sequence produces when it is sent these tokens: @count is 1 or more. */
static inline uint32_t token_produce(uint64_t id, const uint32_t *tokens, uint32_t count)
{
    uint32_t latest = tokens[0];

    if (count == 1)
        return token_after(latest, id);
    for (uint32_t i = 1; i < count; i++)
        latest = token_after_prompt(latest, tokens[i]);
    return latest;
}

/*
 * The checksum of a step is that of its id and flags, then of each sequence in order: its id, its
 * count, its first token, and what it produced, which depends on all the others.
 */
static inline uint64_t checksum_begin(uint64_t step_id, uint32_t flags)
{
    return token_mix(token_mix(UINT64_C(0x73746570), step_id), flags);
}

static inline uint64_t checksum_add(
    uint64_t checksum, uint64_t id, uint32_t count, uint32_t first, uint32_t produced)
{
    checksum = token_mix(checksum, id);
    checksum = token_mix(checksum, (uint64_t)count << 32 | first);
    return token_mix(checksum, produced);
}

/* What a finished request adds to the digest of a run: a sum, so the order does not matter. */
static inline uint64_t digest_of(uint64_t id, uint32_t generated, uint32_t latest)
{
    return token_mix(token_mix(id, generated), latest);
}

#endif
