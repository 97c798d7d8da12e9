/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c: sequences stay in the order of admission, so that the oldest prompt goes first and the
 * same trace gives the same steps.
 */

#include "batch.h"

#include <string.h>

#include "lamina/base/assert.h"
#include "tokens.h"

void batch_init(struct batch *batch)
{
    memset(batch, 0, sizeof(*batch));
}

uint32_t batch_room(const struct batch *batch)
{
    return BATCH_SEQUENCES_MAX - batch->sequence_count;
}

void batch_admit(struct batch *batch, const struct batch_sequence *sequence)
{
    struct batch_sequence *added;

    LAM_ASSERT(batch_room(batch) > 0);
    added = &batch->sequences[batch->sequence_count++];
    *added = *sequence;
    added->prompt_sent = 0;
    added->generated = 0;
    added->latest = token_first(sequence->id);
}

static uint32_t prompt_left(const struct batch_sequence *sequence)
{
    return sequence->prompt_count - sequence->prompt_sent;
}

void batch_plan(struct batch *batch, struct batch_step *step)
{
    uint32_t room = BATCH_TOKENS_MAX;

    LAM_ASSERT(batch->sequence_count > 0);
    for (uint32_t i = 0; i < batch->sequence_count; i++)
        room -= prompt_left(&batch->sequences[i]) == 0;

    step->id = ++batch->step_count;
    step->part_count = 0;
    step->prefill = 0;
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        uint32_t left = prompt_left(&batch->sequences[i]);
        uint32_t piece = 0;

        if (left > 0) {
            if (room < 2)
                continue; /* not even the latest token and one more */
            piece = left < room ? left : room - 1;
            room -= piece + 1;
        }
        step->parts[step->part_count++] = (struct batch_part){i, piece};
        step->prefill += piece > 0;
    }
    step->token_count = BATCH_TOKENS_MAX - room;
    LAM_ASSERT(step->part_count > 0);
}

void batch_write_step(const struct batch *batch, const struct batch_step *step, uint32_t flags,
    const struct batch_vectors *vectors, struct batch_answer *answer)
{
    uint32_t *token = vectors->tokens;

    answer->checksum = checksum_begin(step->id, flags);
    for (uint32_t i = 0; i < step->part_count; i++) {
        const struct batch_part *part = &step->parts[i];
        const struct batch_sequence *sequence = &batch->sequences[part->sequence_index];
        uint32_t latest = sequence->latest;

        *token++ = latest;
        for (uint32_t k = 0; k < part->prompt_count; k++) {
            *token = token_prompt(sequence->id, sequence->prompt_sent + k);
            latest = token_after_prompt(latest, *token++);
        }
        if (part->prompt_count == 0)
            latest = token_after(latest, sequence->id);
        vectors->sequence_ids[i] = sequence->id;
        vectors->token_counts[i] = part->prompt_count + 1;
        answer->produced[i] = latest;
        answer->checksum = checksum_add(
            answer->checksum, sequence->id, part->prompt_count + 1, sequence->latest, latest);
    }
    LAM_ASSERT(token == vectors->tokens + step->token_count);
}

/* Returns 1 when the sequence is finished. */
static uint32_t go_on(
    struct batch *batch, struct batch_sequence *sequence, uint32_t piece, uint32_t produced)
{
    sequence->latest = produced;
    sequence->prompt_sent += piece;
    batch->prompt_tokens += piece;
    if (prompt_left(sequence) > 0)
        return 0;
    /* The prompt's last step gives the first generated token, if any was asked for. */
    if (sequence->generated < sequence->generation_limit) {
        sequence->generated++;
        batch->generated_tokens++;
    }
    if (sequence->generated < sequence->generation_limit)
        return 0;
    batch->digest += digest_of(sequence->id, sequence->generated, sequence->latest);
    return 1;
}

uint32_t batch_apply(struct batch *batch, const struct batch_step *step, const uint32_t *produced)
{
    uint32_t kept = 0;
    uint32_t finished;
    uint32_t at = 0;

    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        struct batch_sequence *sequence = &batch->sequences[i];

        if (at < step->part_count && step->parts[at].sequence_index == i) {
            uint32_t done = go_on(batch, sequence, step->parts[at].prompt_count, produced[at]);

            at++;
            if (done)
                continue;
        }
        if (kept != i)
            batch->sequences[kept] = *sequence;
        kept++;
    }
    LAM_ASSERT(at == step->part_count);
    finished = batch->sequence_count - kept;
    batch->finished += finished;
    batch->sequence_count = kept;
    return finished;
}
