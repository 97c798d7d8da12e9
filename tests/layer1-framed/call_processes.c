/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: between processes that are killed or stopped at any time, every request comes to exactly
 * one end, a gather says who is missing and why, and a dead or stopped caller blocks no responder.
 * Method: real processes, real SIGKILL and SIGSTOP, again and again on the same channels; every
 * byte is checked.
 */
#include "crew.h"
#include "lamina/ring/stat.h"
#include "processes.h"

#define OUTSTANDING 8

static struct lam_ring requests;
static struct lam_ring replies;

static void attach_receiver(
    struct lam_framed_receiver *receiver, struct lam_ring *ring, const char *name)
{
    struct lam_framed_receiver_options options = {
        .consumer = {.name = name, .start = LAM_RING_RESUME}};
    struct lam_error error = {""};

    TEST_OK(lam_framed_receiver_attach(receiver, ring, &options, &error), error);
}

static void attach_sender(struct lam_framed_sender *sender, struct lam_ring *ring)
{
    struct lam_error error = {""};
    int rc;

    /* A dead one's lock is gone with it, a moment later. */
    do
        rc = lam_framed_sender_attach(sender, ring, NULL, &error);
    while (rc == -EBUSY);
    TEST_OK(rc, error);
}

/* What every request and every answer says: which it is, and known bytes of that. */
static void fill(void *payload, uint64_t number)
{
    memcpy(payload, &number, sizeof(number));
    known_fill((uint8_t *)payload + 8, number, 0, 40);
}

static uint64_t number_of(const void *payload, uint64_t payload_bytes)
{
    uint64_t number;

    TEST_CHECK(payload_bytes == 48);
    memcpy(&number, payload, sizeof(number));
    TEST_CHECK(known_matches((const uint8_t *)payload + 8, number, 40));
    return number;
}

static void answer(struct lam_responder *responder, struct lam_request *request)
{
    void *payload = NULL;

    TEST_CHECK(lam_responder_claim_until(responder, request, 48, soon(), &payload) == 0);
    fill(payload, number_of(request->payload, request->payload_bytes));
    lam_responder_commit(responder, request, 48, request->kind, 0);
}

/* Answers what comes, the last of each four first, and is killed some time. */
static void respond(struct lam_ring *in, struct lam_ring *out, const char *name)
{
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;
    struct lam_request taken[4];
    uint32_t count = 0;

    attach_sender(&sender, out);
    attach_receiver(&receiver, in, name);
    TEST_CHECK(lam_responder_attach(&responder, &receiver, NULL, NULL) == 0);
    TEST_CHECK(lam_responder_add(&responder, 0, &sender) == 0);
    for (;;) {
        int rc = count == 4 ? 0 : lam_responder_try_receive(&responder, &taken[count]);

        TEST_CHECK(rc >= 0 || rc == -EOWNERDEAD);
        if (rc == 1) {
            count++;
            continue;
        }
        while (count != 0)
            answer(&responder, &taken[--count]);
        rc = lam_responder_receive_until(
            &responder, lam_deadline_after_ns(10 * LAM_NS_PER_MS), &taken[0]);
        count = rc == 0;
    }
}

static pid_t start_responder(void)
{
    pid_t pid = test_fork();

    if (pid == 0)
        respond(&requests, &replies, "responder");
    return pid;
}

/* What the caller knows of its requests, by slot: number, 0 none. */
static uint64_t asked[OUTSTANDING];
static uint64_t ended_well, ended_dead;

static void ask(struct lam_caller *caller, uint64_t number)
{
    struct lam_ticket ticket;
    void *payload = NULL;

    TEST_CHECK(lam_caller_claim_until(caller, 48, soon(), &payload) == 0);
    fill(payload, number);
    ticket = lam_caller_commit(caller, 48, 1, soon());
    TEST_CHECK(asked[lam_ticket_slot(ticket)] == 0);
    asked[lam_ticket_slot(ticket)] = number;
}

/* One request comes to its end, the right one. Returns its outcome. */
static int end_one(struct lam_caller *caller)
{
    struct lam_reply reply;
    uint32_t slot;

    TEST_CHECK(lam_caller_take_until(caller, NULL, soon(), &reply) == 0);
    slot = lam_ticket_slot(reply.ticket);
    TEST_CHECK(asked[slot] != 0);
    if (reply.outcome == 0)
        TEST_CHECK(number_of(reply.payload, reply.payload_bytes) == asked[slot]);
    else
        TEST_CHECK(reply.outcome == -EOWNERDEAD);
    asked[slot] = 0;
    ended_well += reply.outcome == 0;
    ended_dead += reply.outcome == -EOWNERDEAD;
    TEST_CHECK(lam_caller_release(caller, &reply) == 0);
    return reply.outcome;
}

/* A responder that is killed after so many answers. Returns how many requests that cut off. */
static uint64_t play_generation(struct lam_caller *caller, uint64_t *number, uint32_t kill_after)
{
    pid_t pid = start_responder();
    uint64_t cut_off = 0;
    int status = 0;

    /* Until this one is there, its predecessor's death is no news. */
    do
        ask(caller, (*number)++);
    while (end_one(caller) != 0);
    for (uint32_t i = 0; i < OUTSTANDING - 1; i++)
        ask(caller, (*number)++);
    while (kill_after-- != 0) {
        TEST_CHECK(end_one(caller) == 0);
        ask(caller, (*number)++);
    }
    /* One at least is not answered, however quick it was with the others. */
    TEST_CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
    TEST_CHECK(WIFSTOPPED(status));
    ask(caller, (*number)++);
    TEST_CHECK(lam_caller_outstanding(caller) <= OUTSTANDING);
    test_kill(pid);
    for (uint32_t i = 0; i < OUTSTANDING; i++)
        cut_off += end_one(caller) != 0;
    TEST_CHECK(lam_caller_outstanding(caller) == 0);
    return cut_off;
}

/* The same, and the next one is there before the caller looks again: no deadline need come. */
static void replace_a_responder(struct lam_caller *caller, uint64_t *number)
{
    pid_t pid = start_responder();
    uint64_t epoch;
    int status = 0;

    do
        ask(caller, (*number)++);
    while (end_one(caller) != 0);
    epoch = lam_ring_epoch(&replies);
    TEST_CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
    for (uint32_t i = 0; i < OUTSTANDING; i++)
        ask(caller, (*number)++);
    test_kill(pid);
    pid = start_responder();
    while (lam_ring_epoch(&replies) == epoch)
        (void)usleep(100);
    /* What the dead one had in hand, and what it had not: its successor may answer that in time. */
    for (uint32_t i = 0; i < OUTSTANDING; i++)
        (void)end_one(caller);
    TEST_CHECK(lam_caller_outstanding(caller) == 0);
    test_kill(pid);
}

static void responders_are_killed_with_requests_outstanding(void)
{
    const struct lam_caller_options options = {.pending_max = OUTSTANDING};
    uint32_t generations = 30 * (uint32_t)effort();
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_caller caller;
    uint64_t cut_off = 0;
    uint64_t number = 1;

    attach_sender(&sender, &requests);
    attach_receiver(&receiver, &replies, "caller");
    TEST_CHECK(lam_caller_attach(&caller, &sender, &receiver, &options, NULL) == 0);
    for (uint32_t generation = 0; generation < generations; generation++) {
        cut_off += play_generation(&caller, &number, generation * 7 % 40);
    }
    for (uint32_t i = 0; i < 5 * (uint32_t)effort(); i++)
        replace_a_responder(&caller, &number);
    (void)printf("%llu answered, %llu cut off by %u deaths\n", (unsigned long long)ended_well,
        (unsigned long long)cut_off, generations);
    /* Without requests in hand at a death the test has shown nothing. */
    TEST_CHECK(cut_off >= generations);
    TEST_CHECK(ended_well + ended_dead == caller.counts.begun);
    lam_caller_detach(&caller);
    lam_framed_receiver_detach(&receiver);
    lam_framed_sender_detach(&sender);
}

/* Asks on and on, takes nothing. */
static void ask_without_end(void)
{
    const struct lam_caller_options options = {.pending_max = 4096};
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_caller caller;
    void *payload = NULL;

    attach_receiver(&receiver, &replies, "caller");
    attach_sender(&sender, &requests);
    TEST_CHECK(lam_caller_attach(&caller, &sender, &receiver, &options, NULL) == 0);
    for (uint64_t number = 1; lam_caller_claim_until(&caller, 48, soon(), &payload) == 0;
         number++) {
        fill(payload, number);
        (void)lam_caller_commit(&caller, 48, 1, LAM_DEADLINE_NEVER);
    }
    for (;;)
        (void)pause();
}

/* Answer until the caller's channel is full. Returns how many it took. */
static uint32_t answer_until_full(struct lam_responder *responder, struct lam_request *request)
{
    uint32_t count = 0;
    void *payload = NULL;

    for (;; count++) {
        int rc = lam_responder_receive_until(responder, soon(), request);

        TEST_CHECK(rc == 0 || rc == -EOWNERDEAD);
        if (rc != 0)
            continue; /* of the one before */
        rc = lam_responder_try_claim(responder, request, 48, &payload);
        TEST_CHECK(rc >= 0);
        if (rc == 0)
            return count;
        fill(payload, number_of(request->payload, request->payload_bytes));
        lam_responder_commit(responder, request, 48, 1, 0);
    }
}

/* What it had asked is answered, and nobody waits. */
static void answer_the_dead(struct lam_responder *responder)
{
    const struct lam_answer nothing = {.kind = 1};
    struct lam_request request;

    while (lam_responder_receive_until(responder, soon(), &request) == 0)
        TEST_CHECK(lam_responder_try_reply(responder, &request, &nothing) == 1);
}

static void stopped_and_killed_callers_block_no_responder(void)
{
    uint32_t generations = 4 * (uint32_t)effort();
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;

    attach_sender(&sender, &replies);
    attach_receiver(&receiver, &requests, "responder");
    TEST_CHECK(lam_responder_attach(&responder, &receiver, NULL, NULL) == 0);
    TEST_CHECK(lam_responder_add(&responder, 0, &sender) == 0);
    for (uint32_t generation = 0; generation < generations; generation++) {
        struct lam_request request;
        void *payload = NULL;
        pid_t pid = test_fork();

        if (pid == 0)
            ask_without_end();
        (void)answer_until_full(&responder, &request);
        TEST_CHECK(kill(pid, SIGSTOP) == 0);
        TEST_CHECK(lam_responder_claim_until(&responder, &request, 48,
                       lam_deadline_after_ns(LAM_NS_PER_MS), &payload) == -ETIMEDOUT);
        test_kill(pid);
        /* It holds nobody any more, and what it had asked ends with its channel. */
        TEST_CHECK(lam_responder_claim_until(&responder, &request, 48, soon(), &payload) == 0);
        lam_responder_commit(&responder, &request, 48, 1, 0);
        answer_the_dead(&responder);
        TEST_CHECK(lam_responder_try_receive(&responder, &request) == -EOWNERDEAD);
    }
    lam_responder_detach(&responder);
    lam_framed_receiver_detach(&receiver);
    lam_framed_sender_detach(&sender);
}

static struct crew crew;
static pid_t workers[CREW_WORKERS];

static void start_worker(uint32_t worker)
{
    workers[worker] = test_fork();
    if (workers[worker] == 0)
        respond(&crew.requests[0].ring, &crew.replies[worker].ring, crew_names[worker]);
}

static void begin_round(uint64_t number, uint64_t deadline_ns)
{
    uint8_t bytes[48];
    const struct iovec part = {bytes, sizeof(bytes)};

    fill(bytes, number);
    TEST_CHECK(lam_scatter_begin_until(&crew.scatter, &part, 1, 1, deadline_ns) == 0);
}

/* All but @missing answered round @number; CREW_WORKERS: all did. Returns that one's outcome. */
static int gather_round(uint64_t number, uint32_t missing)
{
    TEST_CHECK(lam_scatter_gather_until(&crew.scatter, LAM_DEADLINE_NEVER) == 0);
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        const struct lam_reply *reply = lam_scatter_reply(&crew.scatter, i);

        if (i == missing)
            continue;
        TEST_CHECK(reply->outcome == 0);
        TEST_CHECK(number_of(reply->payload, reply->payload_bytes) == number);
    }
    return missing == CREW_WORKERS ? 0 : lam_scatter_reply(&crew.scatter, missing)->outcome;
}

static void open_crew(void)
{
    struct lam_framed_sender *senders[1] = {&crew.requests[0].sender};
    struct lam_framed_receiver *receivers[CREW_WORKERS];
    const struct lam_scatter_options options = {.worker_count = CREW_WORKERS,
        .sender_count = 1,
        .senders = senders,
        .receivers = receivers,
        .names = crew_names};

    channel_make_ring(&crew.requests[0].ring, 64, test_next_start());
    channel_attach_sender(&crew.requests[0]);
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        channel_make_ring(&crew.replies[i].ring, 64, test_next_start());
        channel_attach_receiver(&crew.replies[i], 0, LAM_RING_HEAD);
        receivers[i] = &crew.replies[i].receiver;
    }
    TEST_CHECK(lam_scatter_init(&crew.scatter, &options, NULL) == 0);
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        start_worker(i);
}

static void close_crew(void)
{
    lam_scatter_release(&crew.scatter);
    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        test_kill(workers[i]);
        lam_framed_receiver_detach(&crew.replies[i].receiver);
        (void)lam_ring_destroy(&crew.replies[i].ring);
    }
    lam_framed_sender_detach(&crew.requests[0].sender);
    (void)lam_ring_destroy(&crew.requests[0].ring);
}

/* Until all of them answer a round, that is: until those that were started are there. */
static uint64_t settle(uint64_t number)
{
    uint64_t complete = crew.scatter.counts.complete;

    do {
        begin_round(++number, lam_deadline_after_ns(LAM_NS_PER_S / 50));
        TEST_CHECK(lam_scatter_gather_until(&crew.scatter, soon()) == 0);
    } while (crew.scatter.counts.complete == complete);
    return number;
}

/* Worker @victim is stopped: late. It goes on: its answer is dropped. It is killed: dead. */
static uint64_t lose_a_worker(uint64_t number, uint32_t victim)
{
    for (int i = 0; i < 20; i++) {
        begin_round(++number, soon());
        TEST_CHECK(gather_round(number, CREW_WORKERS) == 0);
    }
    TEST_CHECK(kill(workers[victim], SIGSTOP) == 0);
    begin_round(++number, lam_deadline_after_ns(LAM_NS_PER_S / 20));
    TEST_CHECK(gather_round(number, victim) == -ETIMEDOUT);
    TEST_CHECK(kill(workers[victim], SIGCONT) == 0);
    number = settle(number);

    /* In the middle of a gather: all others have answered. */
    TEST_CHECK(kill(workers[victim], SIGSTOP) == 0);
    begin_round(++number, LAM_DEADLINE_NEVER);
    while (lam_scatter_try_gather(&crew.scatter) != 1)
        continue;
    test_kill(workers[victim]);
    TEST_CHECK(gather_round(number, victim) == -EOWNERDEAD);
    start_worker(victim);
    return settle(number);
}

static void workers_are_lost_in_the_middle_of_a_gather(void)
{
    uint64_t number;

    open_crew();
    number = settle(0);
    for (uint32_t i = 0; i < 4 * (uint32_t)effort(); i++)
        number = lose_a_worker(number, i * 3 % CREW_WORKERS);
    close_crew();
}

int main(void)
{
    channel_make_ring(&requests, 64, test_next_start());
    channel_make_ring(&replies, 64, test_next_start());
    responders_are_killed_with_requests_outstanding();
    stopped_and_killed_callers_block_no_responder();
    (void)lam_ring_destroy(&requests);
    (void)lam_ring_destroy(&replies);
    workers_are_lost_in_the_middle_of_a_gather();
    return 0;
}
