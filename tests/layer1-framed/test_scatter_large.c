/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a worker that does not read its request holds nobody else up, and itself not longer than
 * the round's deadline; and the round says that it has not got it.
 * Method: requests and answers of many times the ring, a channel for each worker. Workers are
 * threads; who has to be last waits until the others have all they wait for, or else the round
 * would end by its deadline.
 */
#include <pthread.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "crew.h"
#include "lamina/ring/stat.h"

#define LARGE_BYTES 30000 /* seven times the ring */
#define LAST        1     /* the worker that reads when the others are done */

static struct crew crew;
static uint8_t request[LARGE_BYTES];
static const struct iovec whole = {request, sizeof(request)};
static lam_atomic_u64 done; /* workers whose answer is out */

static void setup(void)
{
    crew_open(&crew, CREW_WORKERS, 64);
    known_fill(request, 1, 0, sizeof(request));
}

static void teardown(void)
{
    crew_close(&crew);
}

TestSuite(scatter_large, .init = setup, .fini = teardown, .timeout = 30);

/* One request, answered with its own bytes. */
static void *work(void *argument)
{
    uint32_t worker = (uint32_t)((struct lam_responder *)argument - crew.responders);
    struct lam_request *taken = &crew.requests_taken[worker];

    while (worker == LAST && lam_load_acquire(&done) != CREW_WORKERS - 1)
        (void)usleep(200);
    if (lam_responder_receive_until(&crew.responders[worker], soon(), taken) == 0) {
        const struct iovec part = {(void *)(uintptr_t)taken->payload, taken->payload_bytes};
        const struct lam_answer answer = {&part, 1, 1, (int32_t)worker};

        if (lam_responder_reply_until(&crew.responders[worker], taken, &answer, soon()) == 0)
            (void)lam_add_acq_rel(&done, 1);
    }
    return NULL;
}

static int is_whole_answer(uint32_t worker)
{
    const struct lam_reply *reply = lam_scatter_reply(&crew.scatter, worker);

    return reply->outcome == 0 && reply->status == (int32_t)worker &&
           reply->payload_bytes == LARGE_BYTES && known_matches(reply->payload, 1, LARGE_BYTES);
}

Test(scatter_large, one_that_does_not_read_holds_nobody_up_who_does)
{
    pthread_t threads[CREW_WORKERS];

    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, work, &crew.responders[i]), 0));
    cr_assert(eq(int, lam_scatter_begin_until(&crew.scatter, &whole, 1, 1, soon()), 0));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
        cr_assert(is_whole_answer(i));
        cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, i), 1));
    }
    cr_assert(eq(u64, crew.scatter.counts.complete, 1));
    cr_assert(eq(u64, crew.scatter.counts.missing, 0));
}

Test(scatter_large, who_did_not_get_it_by_the_deadline_is_said_and_sees_a_message_cut_short)
{
    cr_assert(eq(int,
        lam_scatter_begin_until(
            &crew.scatter, &whole, 1, 1, lam_deadline_after_ns(20 * LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, i)->outcome, -ETIMEDOUT));
        cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, i), 0));
        cr_assert(eq(int, crew_take(&crew, i), 0));
        cr_assert(eq(u64, crew.responders[i].counts.cut, 1));
    }
    cr_assert(eq(u64, crew.scatter.counts.missing, CREW_WORKERS));
    /* They have made room, and the next round is whole. */
    cr_assert(eq(int, crew_begin(&crew, 2, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(eq(int, crew_answer(&crew, i), 1));
    cr_assert(eq(int, lam_scatter_gather_until(&crew.scatter, soon()), 0));
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        cr_assert(crew_is_answer(&crew, i, 2));
}

Test(scatter_large, one_that_is_late_already_is_not_waited_for)
{
    const struct iovec half = {request, 1900};
    struct lam_ring_stat stat;

    /* Two requests fill its channel; it has answered neither. */
    for (int round = 0; round < 2; round++) {
        cr_assert(eq(int, lam_scatter_begin_until(&crew.scatter, &half, 1, 1, soon()), 0));
        cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, LAST), 1));
        for (uint32_t i = 0; i < CREW_WORKERS; i++)
            if (i != LAST)
                cr_assert(eq(int, crew_answer(&crew, i), 1));
        cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), 1));
    }
    cr_assert(eq(int,
        lam_scatter_begin_until(
            &crew.scatter, &half, 1, 1, lam_deadline_after_ns(200 * LAM_NS_PER_MS)),
        0));
    cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, LAST), 0));
    cr_assert(eq(i32, lam_scatter_reply(&crew.scatter, LAST)->outcome, -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_stat_read(&crew.requests[LAST].ring, &stat), 0));
    cr_assert(eq(u64, stat.parks, 0));
}

/* Give the request back that was answered without that, after a while. */
static void *release_late(void *argument)
{
    struct lam_framed_message *message = argument;

    (void)usleep(20000);
    (void)lam_framed_receiver_release(&crew.readers[0], message);
    return NULL;
}

Test(scatter_large, one_that_has_answered_is_waited_for_until_it_releases)
{
    const struct iovec half = {request, 1900};
    uint64_t header[2] = {0, LAM_CALL_REPLY};
    const struct iovec answer = {header, sizeof(header)};
    struct lam_framed_message messages[2];
    pthread_t thread;

    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, lam_scatter_begin_until(&crew.scatter, &half, 1, 1, soon()), 0));
        cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, 0), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&crew.readers[0], &messages[i]), 1));
        cr_assert(eq(int,
            lam_framed_sender_try_send(
                &crew.replies[0].sender, &answer, 1, 1, messages[i].correlation),
            1));
        cr_assert(eq(u32, lam_scatter_try_gather(&crew.scatter), CREW_WORKERS - 1));
        for (uint32_t k = 1; k < CREW_WORKERS; k++)
            (void)crew_drop_all(&crew, k);
    }
    /* Both are still held in place: there is no room for a third one. */
    cr_assert(eq(int, pthread_create(&thread, NULL, release_late, &messages[1]), 0));
    cr_assert(eq(int, lam_scatter_begin_until(&crew.scatter, &half, 1, 1, soon()), 0));
    cr_assert(eq(int, lam_scatter_was_asked(&crew.scatter, 0), 1));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
}
