/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_BATCH_H
#define LAM_INFERENCE_BATCH_H

/*
 * batch.h: the continuous batch. Which sequences run, and what each step sends of them.
 *
 * A sequence is admitted, sends its prompt in one or more pieces, then generates one token a step
 * until its limit, and is finished. Every step sends one token of each sequence that generates, and
 * fills what is left of the step's room with prompts, in the order of admission.
 *
 * Knows no ring, no clock and no trace. Fixed memory, no allocation. One thread.
 */

#include <stdint.h>

#define BATCH_SEQUENCES_MAX 256
#define BATCH_TOKENS_MAX    16384

struct batch_sequence {
    uint64_t id;
    uint64_t arrival_ns; /* the caller's; not looked at */
    uint32_t prompt_count;
    uint32_t prompt_sent;
    uint32_t generation_limit;
    uint32_t generated;
    uint32_t latest; /* token: the model's whole memory of the sequence (tokens.h) */
};

/* One sequence in a step: the latest token, then @prompt_count tokens of the prompt. */
struct batch_part {
    uint32_t sequence_index;
    uint32_t prompt_count;
};

struct batch_step {
    uint64_t id;
    uint32_t part_count;
    uint32_t token_count;
    uint32_t prefill; /* parts with a piece of a prompt */
    struct batch_part parts[BATCH_SEQUENCES_MAX];
};

/* Where batch_write_step() writes: part_count, part_count and token_count elements. */
struct batch_vectors {
    uint64_t *sequence_ids;
    uint32_t *token_counts;
    uint32_t *tokens;
};

/* What every worker must answer to a step. */
struct batch_answer {
    uint64_t checksum;
    uint32_t produced[BATCH_SEQUENCES_MAX];
};

struct batch {
    uint32_t sequence_count;
    uint64_t step_count; /* steps planned so far: the latest one's id */
    uint64_t finished;   /* requests */
    uint64_t prompt_tokens;
    uint64_t generated_tokens;
    uint64_t digest; /* of all finished requests (tokens.h) */
    struct batch_sequence sequences[BATCH_SEQUENCES_MAX];
};

/* An empty batch; its first step has id 1. */
void batch_init(struct batch *batch);

/* How many more sequences can be admitted now. */
uint32_t batch_room(const struct batch *batch);

/* Take a sequence in: its id, prompt_count, generation_limit and arrival_ns. There must be room. */
void batch_admit(struct batch *batch, const struct batch_sequence *sequence);

/*
 * Choose what the next step sends. Every sequence that generates is in it; prompts as far as
 * BATCH_TOKENS_MAX goes. The batch must not be empty.
 */
void batch_plan(struct batch *batch, struct batch_step *step);

/*
 * Write the planned step to @vectors, and what workers must answer to @answer. The flags are those
 * that the step carries. Changes nothing in the batch: a step can be written again.
 */
void batch_write_step(const struct batch *batch, const struct batch_step *step, uint32_t flags,
    const struct batch_vectors *vectors, struct batch_answer *answer);

/*
 * Go on with what the workers produced for @step. Finished sequences leave the batch.
 *
 * Returns how many finished.
 */
uint32_t batch_apply(struct batch *batch, const struct batch_step *step, const uint32_t *produced);

#endif
