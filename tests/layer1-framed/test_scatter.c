/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a round ends with an answer of each worker or the reason why there is none, and answers of
 * earlier rounds never pass for this one's.
 * Method: a scatterer and four workers of one process take turns, by one channel for all and by one
 * for each.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "crew.h"

static struct crew crew;

static void setup(void)
{
    crew_open(&crew, 1, 64);
}

static void setup_each(void)
{
    crew_open(&crew, CREW_WORKERS, 64);
}

static void teardown(void)
{
    crew_close(&crew);
}

TestSuite(scatter, .init = setup, .fini = teardown, .timeout = 20);
TestSuite(scatter_each, .init = setup_each, .fini = teardown, .timeout = 20);

static void whole_round(uint64_t round)
{
    cr_assert(eq(int, crew_begin(&crew, round, soon()), 0));
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), CREW_WORKERS));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_answer(&crew, (i * 3 + (uint32_t)round) % CREW_WORKERS), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, round));
}

static void whole_rounds(uint32_t count)
{
    for (uint64_t round = 0; round < count; round++)
        whole_round(round);
    cr_assert(eq(u64, crew.scatter.counts.complete, count));
    cr_assert(eq(u64, crew.scatter.counts.rounds, count));
    cr_assert(eq(u64, crew.scatter.counts.missing, 0));
    cr_assert(eq(u64, crew.scatter.counts.late, 0));
}

Test(scatter, each_worker_answers_each_round_of_one_request_in_memory)
{
    whole_rounds(200);
}

Test(scatter_each, each_worker_answers_each_round_of_its_own_copy)
{
    whole_rounds(200);
}

Test(scatter, rounds_are_counted_past_64_bits)
{
    crew.scatter.round = UINT64_MAX - 3;
    whole_rounds(10);
}

Test(scatter, in_place_the_request_is_written_once)
{
    void *payload;

    cr_assert(eq(int, lam_scatter_try_claim(&crew.scatter, 48, &payload), 1));
    known_fill(payload, 3, 0, 48);
    lam_scatter_commit(&crew.scatter, 48, 3, soon());
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, 3));
}

Test(scatter, at_the_deadline_the_result_is_partial_and_says_who_is_late)
{
    cr_assert(eq(int, crew_begin(&crew, 1, lam_deadline_after_ns(LAM_NS_PER_S / 5)), 0));
    cr_assert(eq(int, crew_answer(&crew, 0), 1));
    cr_assert(eq(int, crew_answer(&crew, 2), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, LAM_SCATTER_WAITING));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    cr_assert(crew_is_answer(&crew, 0, 1));
    cr_assert(crew_is_answer(&crew, 2, 1));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -ETIMEDOUT));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 3)->outcome, -ETIMEDOUT));
    cr_assert(eq(u64, crew.scatter.counts.missing, 2));
    cr_assert(eq(u64, crew.scatter.counts.complete, 0));
}

#define DRIFT_ROUNDS 8

Test(scatter, response_drift_is_told_by_the_requests_id_and_dropped)
{
    /* The others answer in time, also where this process is off the CPU for a while. */
    for (uint64_t round = 0; round < DRIFT_ROUNDS; round++) {
        cr_assert(eq(int, crew_begin(&crew, round, lam_deadline_after_ns(150 * LAM_NS_PER_MS)), 0));
        for (uint32_t i = 0; i < CREW_WORKERS; i++)
            if (i != 1)
                cr_assert(eq(int, crew_answer(&crew, i), 1));
        cr_assert(eq(int, crew_take(&crew, 1), 1));
        cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
        cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -ETIMEDOUT));
        cr_assert(eq(int, crew_answer_taken(&crew, 1), 1)); /* too late */
    }
    cr_assert(eq(int, crew_begin(&crew, 77, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, 77));
    cr_assert(eq(u64, lam_scatter_late(&crew.scatter, 1), DRIFT_ROUNDS));
    cr_assert(eq(u64, lam_scatter_late(&crew.scatter, 0), 0));
    cr_assert(eq(u64, crew.scatter.counts.late, DRIFT_ROUNDS));
}

Test(scatter, worker_that_dies_is_told_from_one_that_closes)
{
    cr_assert(eq(int, crew_begin(&crew, 1, soon()), 0));
    cr_assert(eq(int, crew_answer(&crew, 0), 1));
    lam_framed_sender_detach(&crew.replies[1].sender);
    lam_framed_sender_close(&crew.replies[2].sender);
    cr_assert(eq(int, crew_answer(&crew, 3), 1));
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -EOWNERDEAD));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 2)->outcome, -EPIPE));
    cr_assert(crew_is_answer(&crew, 0, 1));
    cr_assert(crew_is_answer(&crew, 3, 1));
    /* One that comes back takes part in the next round. */
    channel_attach_sender(&crew.replies[1]);
    (void)crew_drop_all(&crew, 1);
    cr_assert(eq(int, crew_begin(&crew, 2, soon()), 0));
    cr_assert(eq(int, crew_answer(&crew, 1), 1));
    cr_assert(eq(int, crew_answer(&crew, 0), 1));
    cr_assert(eq(int, crew_answer(&crew, 3), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    cr_assert(crew_is_answer(&crew, 1, 2));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 2)->outcome, -EPIPE));
}

Test(scatter, worker_that_is_no_longer_among_the_readers_is_told_from_a_late_one)
{
    crew_leave(&crew, 2); /* as the evicted and the dead are taken out */
    cr_assert(eq(int, crew_begin(&crew, 1, lam_deadline_after_ns(LAM_NS_PER_MS)), 0));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 2)->outcome, -ESTALE));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -ETIMEDOUT));
}

Test(scatter_each, worker_whose_channel_is_full_delays_nobody_else)
{
    uint64_t round = 0;

    /* Worker 1 takes nothing: at some time its channel is full. */
    do {
        cr_assert(
            eq(int, crew_begin(&crew, ++round, lam_deadline_after_ns(15 * LAM_NS_PER_MS)), 0));
        for (uint32_t i = 0; i < CREW_WORKERS; i++)
            if (i != 1)
                cr_assert(eq(int, crew_answer(&crew, i), 1));
        cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
        cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 1)->outcome, -ETIMEDOUT));
        cr_assert(eq(u64, crew.scatter.counts.missing, round));
        for (uint32_t i = 0; i < CREW_WORKERS; i++)
            if (i != 1)
                cr_assert(crew_is_answer(&crew, i, round));
    } while (round < 200);
}

Test(scatter, cancelled_round_is_over_and_workers_are_told)
{
    cr_assert(eq(int, crew_begin(&crew, 1, soon()), 0));
    cr_assert(eq(int, crew_take(&crew, 0), 1));
    cr_assert(eq(int, crew_answer(&crew, 3), 1));
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 3));
    lam_scatter_cancel(&crew.scatter);
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 0));
    cr_assert(crew_is_answer(&crew, 3, 1));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, 0)->outcome, -ECANCELED));
    cr_assert(eq(int, lam_responder_is_canceled(&crew.responders[0], &crew.requests_taken[0]), 1));
}

Test(scatter, next_round_gives_the_one_before_up)
{
    cr_assert(eq(int, crew_begin(&crew, 1, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_take(&crew, i), 1));
    cr_assert(eq(int, crew_begin(&crew, 2, soon()), 0));
    cr_assert(eq(u64, crew.scatter.counts.missing, CREW_WORKERS));
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        cr_assert(eq(int, crew_answer_taken(&crew, i), 1));
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    }
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, 2));
    cr_assert(eq(u64, crew.scatter.counts.late, CREW_WORKERS));
}

Test(scatter, shapes_that_cannot_be_are_refused_with_words)
{
    struct lam_scatter_options options = {.worker_count = 65, .sender_count = 1};
    struct lam_error error = {""};
    struct lam_scatter scatter;

    cr_assert(eq(int, lam_scatter_init(&scatter, &options, &error), -EINVAL));
    cr_assert(not(eq(ptr, strstr(error.text, "worker_count is 65"), NULL)));
    options.worker_count = 0;
    cr_assert(eq(int, lam_scatter_init(&scatter, &options, NULL), -EINVAL));
    options.worker_count = 3;
    options.sender_count = 2;
    cr_assert(eq(int, lam_scatter_init(&scatter, &options, &error), -EINVAL));
    cr_assert(not(eq(ptr, strstr(error.text, "sender_count is 2"), NULL)));
}
