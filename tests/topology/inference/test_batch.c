/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_batch.c: every sequence is sent whole and finished, steps keep their bounds, and what is
 * generated does not depend on how prompts were cut. Method: a loop without rings plays scheduler
 * and worker; an oracle that knows no batches says what each request must end with.
 */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "tokens.h"

TestSuite(batch, .timeout = 30);

static struct batch batch;
static struct batch_step step;
static struct batch_answer answer;
static uint64_t sequence_ids[BATCH_SEQUENCES_MAX];
static uint32_t token_counts[BATCH_SEQUENCES_MAX];
static uint32_t tokens[BATCH_TOKENS_MAX];
static const struct batch_vectors vectors = {sequence_ids, token_counts, tokens};

static void admit(uint64_t id, uint32_t prompt_count, uint32_t generation_limit)
{
    batch_admit(
        &batch, &(struct batch_sequence){
                    .id = id, .prompt_count = prompt_count, .generation_limit = generation_limit});
}

/* The last token of a request, from its length alone. */
static uint64_t oracle(uint64_t id, uint32_t prompt_count, uint32_t generation_limit)
{
    uint32_t latest = token_first(id);
    uint32_t generated = 0;

    for (uint32_t i = 0; i < prompt_count; i++)
        latest = token_after_prompt(latest, token_prompt(id, i));
    if (prompt_count > 0 && generation_limit > 0)
        generated = 1;
    if (prompt_count == 0 && generation_limit == 0)
        latest = token_after(latest, id);
    for (; generated < generation_limit; generated++)
        latest = token_after(latest, id);
    return digest_of(id, generation_limit, latest);
}

/* One step as scheduler and worker would do it: the worker sees the vectors alone. */
static uint32_t play_step(void)
{
    uint32_t produced[BATCH_SEQUENCES_MAX];
    uint32_t at = 0;
    uint64_t checksum;

    batch_plan(&batch, &step);
    cr_assert(step.part_count >= 1 && step.part_count <= BATCH_SEQUENCES_MAX);
    cr_assert(step.token_count <= BATCH_TOKENS_MAX);
    batch_write_step(&batch, &step, 3, &vectors, &answer);
    checksum = checksum_begin(step.id, 3);
    for (uint32_t i = 0; i < step.part_count; i++) {
        produced[i] = token_produce(sequence_ids[i], tokens + at, token_counts[i]);
        checksum =
            checksum_add(checksum, sequence_ids[i], token_counts[i], tokens[at], produced[i]);
        at += token_counts[i];
    }
    cr_assert_eq(at, step.token_count);
    cr_assert_eq(checksum, answer.checksum);
    cr_assert_eq(memcmp(produced, answer.produced, sizeof(produced[0]) * step.part_count), 0);
    return batch_apply(&batch, &step, produced);
}

Test(batch, one_request_takes_a_step_for_its_prompt_and_one_for_each_further_token)
{
    batch_init(&batch);
    admit(1, 100, 5);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(play_step(), 0);
    cr_assert_eq(play_step(), 1);
    cr_assert_eq(batch.step_count, 5);
    cr_assert_eq(batch.prompt_tokens, 100);
    cr_assert_eq(batch.generated_tokens, 5);
    cr_assert_eq(batch.digest, oracle(1, 100, 5));
}

Test(batch, a_request_that_generates_nothing_is_finished_with_its_prompt)
{
    batch_init(&batch);
    admit(1, 10, 0);
    admit(2, 0, 0);
    admit(3, 0, 1);
    cr_assert_eq(play_step(), 3);
    cr_assert_eq(batch.generated_tokens, 1);
    cr_assert_eq(batch.digest, oracle(1, 10, 0) + oracle(2, 0, 0) + oracle(3, 0, 1));
}

Test(batch, a_prompt_larger_than_a_step_goes_in_pieces)
{
    batch_init(&batch);
    admit(9, 3 * BATCH_TOKENS_MAX, 2);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(play_step(), 0);
    cr_assert_eq(play_step(), 1);
    cr_assert_eq(batch.digest, oracle(9, 3 * BATCH_TOKENS_MAX, 2));
}

Test(batch, those_that_generate_go_on_while_large_prompts_wait)
{
    batch_init(&batch);
    admit(1, 1, 3);
    cr_assert_eq(play_step(), 0);
    for (uint64_t id = 2; id <= BATCH_SEQUENCES_MAX; id++)
        admit(id, 14000, 1);
    cr_assert_eq(batch_room(&batch), 0);
    cr_assert_eq(play_step(), 1); /* the first large prompt fits whole */
    cr_assert_eq(step.token_count, BATCH_TOKENS_MAX);
    cr_assert_eq(step.part_count, 3);
    cr_assert_eq(play_step(), 2);
}

/* A draw of a small generator of our own: the same everywhere. */
static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % below;
}

Test(batch, random_traces_end_with_what_an_oracle_without_batches_says)
{
    uint64_t state = 20240229;

    for (int round = 0; round < 20; round++) {
        uint64_t wanted = 0, finished = 0, prompts = 0, generated = 0;
        uint32_t count = 1 + draw(&state, 600), admitted = 0;

        batch_init(&batch);
        while (finished < count) {
            while (admitted < count && batch_room(&batch) > 0 && draw(&state, 8) != 0) {
                uint32_t prompt = draw(&state, 10) == 0 ? draw(&state, 40000) : draw(&state, 200);
                uint32_t limit = draw(&state, 60);

                admit(++admitted, prompt, limit);
                wanted += oracle(admitted, prompt, limit);
                prompts += prompt;
                generated += limit;
            }
            if (batch.sequence_count > 0)
                finished += play_step();
        }
        cr_assert_eq(batch.finished, count);
        cr_assert_eq(batch.prompt_tokens, prompts);
        cr_assert_eq(batch.generated_tokens, generated);
        cr_assert_eq(batch.digest, wanted);
    }
}

Test(batch, a_step_that_is_written_again_is_the_same)
{
    struct batch_answer first;
    uint32_t copy[BATCH_TOKENS_MAX];

    batch_init(&batch);
    admit(1, 20000, 3);
    admit(2, 5, 3);
    batch_plan(&batch, &step);
    batch_write_step(&batch, &step, 0, &vectors, &first);
    memcpy(copy, tokens, sizeof(copy));
    memset(tokens, 0, sizeof(tokens));
    batch_write_step(&batch, &step, 0, &vectors, &answer);
    cr_assert_eq(memcmp(copy, tokens, sizeof(copy[0]) * step.token_count), 0);
    cr_assert_eq(answer.checksum, first.checksum);
}

/* The answer of a worker to the vectors as they are now. */
static uint64_t worker_checksum(void)
{
    uint64_t checksum = checksum_begin(step.id, 0);
    uint32_t at = 0;

    for (uint32_t i = 0; i < step.part_count; i++) {
        uint32_t produced = token_produce(sequence_ids[i], tokens + at, token_counts[i]);

        checksum = checksum_add(checksum, sequence_ids[i], token_counts[i], tokens[at], produced);
        at += token_counts[i];
    }
    return checksum;
}

Test(batch, a_wrong_byte_anywhere_in_a_step_changes_the_checksum)
{
    batch_init(&batch);
    for (uint64_t id = 1; id <= 20; id++)
        admit(id, (uint32_t)(id % 3 == 0 ? 0 : id * 10), 4);
    batch_plan(&batch, &step);
    batch_write_step(&batch, &step, 0, &vectors, &answer);
    cr_assert_eq(worker_checksum(), answer.checksum);
    for (size_t i = 0; i < sizeof(tokens[0]) * step.token_count; i++) {
        ((unsigned char *)tokens)[i] ^= (unsigned char)(1U << i % 8);
        cr_assert_neq(worker_checksum(), answer.checksum, "byte %zu of tokens", i);
        ((unsigned char *)tokens)[i] ^= (unsigned char)(1U << i % 8);
    }
    for (size_t i = 0; i < sizeof(sequence_ids[0]) * step.part_count; i++) {
        ((unsigned char *)sequence_ids)[i] ^= 1;
        cr_assert_neq(worker_checksum(), answer.checksum, "byte %zu of ids", i);
        ((unsigned char *)sequence_ids)[i] ^= 1;
    }
}
