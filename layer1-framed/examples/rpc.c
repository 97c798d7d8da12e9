/* SPDX-License-Identifier: Apache-2.0 */
/* A small service: another process works out squares. Asked in place, answered in place. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/framed/framed.h"

enum { SQUARE = 1, QUIT = 2 };

static int serve(struct lam_ring *requests, struct lam_ring *replies, uint64_t end_ns)
{
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;
    struct lam_request request = {.kind = SQUARE};
    const struct lam_answer refusal = {.status = -EINVAL};

    if (lam_framed_receiver_attach(&receiver, requests, NULL, NULL) != 0 ||
        lam_framed_sender_attach(&sender, replies, NULL, NULL) != 0 ||
        lam_responder_attach(&responder, &receiver, NULL, NULL) != 0 ||
        lam_responder_add(&responder, 0, &sender) != 0)
        return 1;
    while (request.kind != QUIT && lam_responder_receive_until(&responder, end_ns, &request) == 0) {
        const int64_t *asked = request.payload;
        void *answer;

        if (request.kind != SQUARE || request.payload_bytes != sizeof(*asked)) {
            if (lam_responder_try_reply(&responder, &request, &refusal) != 1)
                return 1;
        } else if (lam_responder_claim_until(&responder, &request, 8, end_ns, &answer) == 0) {
            *(int64_t *)answer = *asked * *asked;
            lam_responder_commit(&responder, &request, 8, SQUARE, 0);
        }
    }
    lam_framed_sender_close(&sender);
    lam_responder_detach(&responder);
    lam_framed_sender_detach(&sender);
    lam_framed_receiver_detach(&receiver);
    return 0;
}

/* One request and its answer. Returns 0, the service's status, or why there is no answer. */
static int square(struct lam_caller *caller, int64_t number, int64_t *result, uint64_t end_ns)
{
    struct lam_ticket ticket;
    struct lam_reply reply;
    void *payload;
    int rc = lam_caller_claim_until(caller, sizeof(number), end_ns, &payload);

    if (rc != 0)
        return rc;
    *(int64_t *)payload = number;
    ticket = lam_caller_commit(caller, sizeof(number), SQUARE, end_ns);
    rc = lam_caller_take_until(caller, &ticket, end_ns, &reply);
    if (rc != 0 || reply.outcome != 0)
        return rc != 0 ? rc : reply.outcome;
    if (reply.status == 0)
        *result = *(const int64_t *)reply.payload;
    (void)lam_caller_release(caller, &reply);
    return reply.status;
}

int main(void)
{
    const struct lam_ring_options to = {.name = "rpc.requests"}, from = {.name = "rpc.replies"};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring requests, replies;
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_caller caller;
    struct lam_reply reply;
    int64_t result = 0;
    int status;

    if (lam_ring_create(&requests, &to, NULL) != 0 || lam_ring_create(&replies, &from, NULL) != 0)
        return 1;
    if (fork() == 0)
        return serve(&requests, &replies, end_ns);
    if (lam_framed_sender_attach(&sender, &requests, NULL, NULL) != 0 ||
        lam_framed_receiver_attach(&receiver, &replies, NULL, NULL) != 0 ||
        lam_framed_sender_wait_receivers_until(&sender, 1, end_ns) != 0 ||
        lam_caller_attach(&caller, &sender, &receiver, NULL, NULL) != 0)
        return 1;
    for (int64_t number = 1; number <= 1000; number++)
        if (square(&caller, number, &result, end_ns) != 0 || result != number * number)
            return 1;
    printf("1000 squares, the last %lld\n", (long long)result);
    if (lam_caller_call_until(&caller, NULL, 0, QUIT, end_ns, &reply) != 0)
        return 1;
    lam_caller_detach(&caller);
    lam_framed_sender_detach(&sender);
    lam_framed_receiver_detach(&receiver);
    return reply.status != -EINVAL || wait(&status) < 0 || status != 0;
}
