/* SPDX-License-Identifier: Apache-2.0 */
/* A scheduler and 4 workers: each step goes to all at once, and every rank's answer is gathered. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { WORKERS = 4, STEPS = 1000, STEP = 1 };

static int work(struct lam_ring *steps, struct lam_ring *answers, uint64_t rank, uint64_t end_ns)
{
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;
    struct lam_request request;

    if (lam_framed_receiver_attach(&receiver, steps, NULL, NULL) != 0 ||
        lam_framed_sender_attach(&sender, answers, NULL, NULL) != 0 ||
        lam_responder_attach(&responder, &receiver, NULL, NULL) != 0 ||
        lam_responder_add(&responder, 0, &sender) != 0)
        return 1;
    /* One that dies says nothing more: the scheduler is told, and does not wait for it. */
    while (lam_responder_receive_until(&responder, end_ns, &request) == 0) {
        uint64_t token = *(const uint64_t *)request.payload * WORKERS + rank;
        const struct iovec part = {&token, sizeof(token)};
        const struct lam_answer answer = {.parts = &part, .part_count = 1, .kind = STEP};

        if (token == WORKERS * (STEPS / 2) + 3)
            (void)raise(SIGKILL);
        if (lam_responder_reply_until(&responder, &request, &answer, end_ns) != 0)
            return 1;
    }
    lam_responder_detach(&responder);
    lam_framed_sender_detach(&sender);
    return 0;
}

/* One step. Returns the bits of the workers whose answer came and is right. */
static unsigned run_step(struct lam_scatter *scatter, uint64_t step, uint64_t end_ns)
{
    unsigned right = 0;
    void *payload;

    if (lam_scatter_claim_until(scatter, sizeof(step), end_ns, &payload) != 0)
        return 0;
    *(uint64_t *)payload = step;
    lam_scatter_commit(scatter, sizeof(step), STEP, lam_deadline_after_ns(LAM_NS_PER_S));
    if (lam_scatter_gather_until(scatter, end_ns) != 0)
        return 0;
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        const struct lam_reply *reply = lam_scatter_reply(scatter, rank);

        if (reply->outcome == 0 && *(const uint64_t *)reply->payload == step * WORKERS + rank)
            right |= 1U << rank;
        else if (reply->outcome == -EOWNERDEAD && step == STEPS / 2)
            printf("step %llu: worker %u died\n", (unsigned long long)step, (unsigned)rank);
    }
    return right;
}

int main(void)
{
    const struct lam_ring_options options = {.name = "steps"}, answer = {.name = "answers"};
    uint64_t end_ns = lam_deadline_after_ns(20 * LAM_NS_PER_S);
    struct lam_framed_receiver receivers[WORKERS], *receiver_of[WORKERS];
    struct lam_ring steps, answers[WORKERS];
    struct lam_framed_sender sender, *sender_of = &sender;
    struct lam_scatter scatter;
    struct lam_scatter_options shape = {WORKERS, 1, &sender_of, receiver_of, NULL, 0};
    pid_t pids[WORKERS];

    if (lam_ring_create(&steps, &options, NULL) != 0 ||
        lam_framed_sender_attach(&sender, &steps, NULL, NULL) != 0)
        return 1;
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        receiver_of[rank] = &receivers[rank];
        if (lam_ring_create(&answers[rank], &answer, NULL) != 0 ||
            lam_framed_receiver_attach(&receivers[rank], &answers[rank], NULL, NULL) != 0)
            return 1;
        pids[rank] = fork();
        if (pids[rank] == 0)
            _exit(work(&steps, &answers[rank], rank, end_ns));
    }
    if (lam_framed_sender_wait_receivers_until(&sender, WORKERS, end_ns) != 0 ||
        lam_scatter_init(&scatter, &shape, NULL) != 0)
        return 1;
    for (uint64_t step = 0; step < STEPS; step++)
        if (run_step(&scatter, step, end_ns) != (step < STEPS / 2 ? 15 : 7))
            return 1;
    lam_framed_sender_close(&sender);
    for (uint32_t rank = 0; rank < WORKERS; rank++)
        (void)waitpid(pids[rank], NULL, 0);
    lam_framed_sender_detach(&sender);
    printf("%d steps\n", STEPS);
    return 0;
}
