/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a caller, a responder or a scatterer dies at any of the named places (LAM_CRASH_POINT) of a
 * call, and nobody else loses anything by it: each request of a survivor comes to one end, answers
 * are right, and a successor goes on over the same channels.
 *
 * Method: layer 1 and the ring are built into this program with their crash points on. For each
 * label and each seed a victim is killed by SIGKILL at a visit that is drawn from the seed, while
 * its peers work; then its successor, whom nobody kills, must do all its work. A label at which
 * nobody was killed is a failure. "call_crash LABEL" plays one.
 */
#include "crew.h"
#include "processes.h"

#define WORK UINT64_C(60) /* of a victim, or of its successor */

/* In the process that is to die. */
static const char *fatal_label;
static uint64_t fatal_visit;

void lam_crash_point(const char *label);

void lam_crash_point(const char *label)
{
    if (fatal_label != NULL && strcmp(label, fatal_label) == 0 && --fatal_visit == 0)
        (void)kill(getpid(), SIGKILL);
}

static struct lam_ring requests;
static struct lam_ring own_requests[CREW_WORKERS]; /* where each worker has a channel of its own */
static struct lam_ring replies[CREW_WORKERS];

static void attach_sender(struct lam_framed_sender *sender, struct lam_ring *ring)
{
    struct lam_error error = {""};

    TEST_OK(lam_framed_sender_attach(sender, ring, NULL, &error), error);
}

/* In its predecessor's place: what that one had not released comes again. */
static void attach_receiver(
    struct lam_framed_receiver *receiver, struct lam_ring *ring, const char *name)
{
    struct lam_framed_receiver_options options = {
        .consumer = {.name = name, .start = LAM_RING_RESUME}};
    struct lam_error error = {""};

    TEST_OK(lam_framed_receiver_attach(receiver, ring, &options, &error), error);
}

struct asker {
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_caller caller;
    uint64_t asked[4]; /* by slot: number, 0 none */
};

static void asker_open(struct asker *asker)
{
    const struct lam_caller_options options = {.pending_max = 4};

    memset(asker->asked, 0, sizeof(asker->asked));
    attach_receiver(&asker->receiver, &replies[0], "caller");
    attach_sender(&asker->sender, &requests);
    TEST_CHECK(
        lam_caller_attach(&asker->caller, &asker->sender, &asker->receiver, &options, NULL) == 0);
}

static void asker_close(struct asker *asker)
{
    lam_caller_detach(&asker->caller);
    lam_framed_sender_close(&asker->sender);
    lam_framed_sender_detach(&asker->sender);
    lam_framed_receiver_detach(&asker->receiver);
}

static struct lam_ticket ask(struct asker *asker, uint64_t number)
{
    struct lam_ticket ticket;
    void *payload = NULL;

    TEST_CHECK(lam_caller_claim_until(&asker->caller, 48, soon(), &payload) == 0);
    known_fill(payload, number, 0, 48);
    ticket = lam_caller_commit(&asker->caller, 48, (uint16_t)number, soon());
    asker->asked[lam_ticket_slot(ticket)] = number;
    return ticket;
}

/* One request ends as it should: with the right answer or by a death. Returns its outcome. */
static int end_one(struct asker *asker, const struct lam_ticket *ticket)
{
    struct lam_reply reply;
    uint64_t number;

    TEST_CHECK(lam_caller_take_until(&asker->caller, ticket, soon(), &reply) == 0);
    number = asker->asked[lam_ticket_slot(reply.ticket)];
    TEST_CHECK(number != 0);
    asker->asked[lam_ticket_slot(reply.ticket)] = 0;
    if (reply.outcome == 0)
        TEST_CHECK(pair_is_answer(&reply, number, 48));
    else
        TEST_CHECK(reply.outcome == -EOWNERDEAD || reply.outcome == -ECANCELED);
    TEST_CHECK(lam_caller_release(&asker->caller, &reply) == 0);
    return reply.outcome;
}

/* Three at once, the last cancelled; taken in another order. Returns how many a death ended. */
static int ask_three(struct asker *asker, uint64_t number)
{
    struct lam_ticket second, third;
    int dead = 0;

    (void)ask(asker, number);
    second = ask(asker, number + 1);
    third = ask(asker, number + 2);
    (void)lam_caller_cancel(&asker->caller, third);
    dead += end_one(asker, &second) == -EOWNERDEAD;
    dead += end_one(asker, NULL) == -EOWNERDEAD;
    dead += end_one(asker, NULL) == -EOWNERDEAD;
    return dead;
}

static int answer(struct lam_responder *responder, struct lam_request *request)
{
    void *payload = NULL;

    (void)lam_responder_is_canceled(responder, request);
    TEST_CHECK(known_matches(request->payload, request->kind, 48));
    if (lam_responder_claim_until(responder, request, 48, soon(), &payload) != 0) {
        lam_responder_drop(responder, request);
        return 0;
    }
    known_fill(payload, request->kind, 0, 48);
    lam_responder_commit(responder, request, 48, request->kind, 0);
    return 1;
}

struct answerer {
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_responder responder;
};

static void answerer_open(
    struct answerer *answerer, struct lam_ring *in, struct lam_ring *out, const char *name)
{
    attach_sender(&answerer->sender, out);
    attach_receiver(&answerer->receiver, in, name);
    TEST_CHECK(lam_responder_attach(&answerer->responder, &answerer->receiver, NULL, NULL) == 0);
    TEST_CHECK(lam_responder_add(&answerer->responder, 0, &answerer->sender) == 0);
}

static void answerer_close(struct answerer *answerer)
{
    lam_responder_detach(&answerer->responder);
    lam_framed_sender_detach(&answerer->sender);
    lam_framed_receiver_detach(&answerer->receiver);
}

/* Answer what is there, for a moment. Returns 0, or how the channel of requests ended. */
static int answer_for_a_while(struct answerer *answerer)
{
    struct lam_request request;
    int rc = lam_responder_receive_until(
        &answerer->responder, lam_deadline_after_ns(LAM_NS_PER_MS), &request);

    if (rc == 0)
        (void)answer(&answerer->responder, &request);
    return rc == -ETIMEDOUT ? 0 : rc;
}

static int has_ended(pid_t pid, int *how)
{
    int status;

    if (waitpid(pid, &status, WNOHANG) != pid)
        return 0;
    *how = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 1;
}

static void be_victim(const char *label, uint64_t visit)
{
    fatal_label = label;
    fatal_visit = visit;
}

/* A successor's numbers are others: what was meant for the dead one is not right for it. */
static uint64_t first_number(void)
{
    return fatal_label == NULL ? 1000 : 1;
}

static void caller_works(void)
{
    struct asker asker;

    asker_open(&asker);
    for (uint64_t i = 0; i < 3 * WORK; i += 3)
        TEST_CHECK(ask_three(&asker, first_number() + i) == 0);
    asker_close(&asker);
    _exit(0);
}

/* A caller, killed or not, with this process as its responder. Returns how it ended. */
static int play_caller(const char *label, uint64_t visit, struct answerer *answerer)
{
    pid_t pid = test_fork();
    int how = 0;

    if (pid == 0) {
        be_victim(label, visit);
        caller_works();
    }
    while (!has_ended(pid, &how)) {
        int rc = answer_for_a_while(answerer);

        TEST_CHECK(rc == 0 || rc == -EOWNERDEAD || rc == -EPIPE);
    }
    return how;
}

static int scene_caller(const char *label, uint64_t visit)
{
    struct answerer answerer;
    int how;

    answerer_open(&answerer, &requests, &replies[0], "responder");
    how = play_caller(label, visit, &answerer);
    TEST_CHECK(play_caller(NULL, 0, &answerer) == 0);
    answerer_close(&answerer);
    return how == 128 + SIGKILL;
}

static void responder_works(const char *label, uint64_t visit)
{
    struct answerer answerer;

    be_victim(label, visit);
    answerer_open(&answerer, &requests, &replies[0], "responder");
    for (;;) {
        struct lam_request taken[2];
        uint32_t count = 0;

        if (lam_responder_receive_until(&answerer.responder, soon(), &taken[0]) == 0)
            count = 1 + (lam_responder_try_receive(&answerer.responder, &taken[1]) == 1);
        while (count != 0)
            (void)answer(&answerer.responder, &taken[--count]);
    }
}

/* A responder, killed or not, with this process as its caller. Returns 1 it died by itself. */
static int play_responder(const char *label, uint64_t visit, struct asker *asker, uint64_t number)
{
    pid_t pid = test_fork();
    int died = 0;
    int how;

    if (pid == 0)
        responder_works(label, visit);
    /* Until it is there, the death of the one before is no news. */
    while (!(died = has_ended(pid, &how)) && ask_three(asker, number) != 0)
        continue;
    for (uint64_t i = 0; i < 3 * WORK && !died; i += 3)
        died = ask_three(asker, number + i) != 0;
    if (!died)
        test_kill(pid);
    else if (waitpid(pid, &how, 0) == pid)
        TEST_CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    return died;
}

static int scene_responder(const char *label, uint64_t visit)
{
    struct asker asker;
    int died;

    asker_open(&asker);
    died = play_responder(label, visit, &asker, 1);
    TEST_CHECK(play_responder(NULL, 0, &asker, 1000) == 0);
    TEST_CHECK(lam_caller_outstanding(&asker.caller) == 0);
    asker_close(&asker);
    return died;
}

/* One round in place, or with @own from bytes that lie elsewhere, to each one's own channel. */
static void begin_round(struct lam_scatter *scatter, uint64_t number, int own)
{
    uint8_t bytes[48];
    const struct iovec part = {bytes, sizeof(bytes)};
    void *payload = bytes;

    if (!own)
        TEST_CHECK(lam_scatter_claim_until(scatter, 48, soon(), &payload) == 0);
    known_fill(payload, number, 0, 48);
    if (!own)
        lam_scatter_commit(scatter, 48, (uint16_t)number, soon());
    else
        TEST_CHECK(lam_scatter_begin_until(scatter, &part, 1, (uint16_t)number, soon()) == 0);
}

static void scatterer_works(int own)
{
    struct lam_framed_receiver receivers[CREW_WORKERS], *receiver_of[CREW_WORKERS];
    struct lam_framed_sender senders[CREW_WORKERS], *sender_of[CREW_WORKERS];
    const struct lam_scatter_options options = {.worker_count = CREW_WORKERS,
        .sender_count = own ? CREW_WORKERS : 1,
        .senders = sender_of,
        .receivers = receiver_of};
    struct lam_scatter scatter;

    for (uint32_t i = 0; i < CREW_WORKERS; i++) {
        receiver_of[i] = &receivers[i];
        sender_of[i] = &senders[i];
        attach_receiver(&receivers[i], &replies[i], "scatterer");
        if (i < options.sender_count)
            attach_sender(&senders[i], own ? &own_requests[i] : &requests);
    }
    TEST_CHECK(lam_scatter_init(&scatter, &options, NULL) == 0);
    for (uint64_t number = first_number(); number < first_number() + WORK; number++) {
        begin_round(&scatter, number, own);
        TEST_CHECK(lam_scatter_gather_until(&scatter, LAM_DEADLINE_NEVER) == 0);
        for (uint32_t i = 0; i < CREW_WORKERS; i++)
            TEST_CHECK(pair_is_answer(lam_scatter_reply(&scatter, i), number, 48));
    }
    _exit(0);
}

/* A scatterer, killed or not, with this process as all its workers. Returns how it ended. */
static int play_scatterer(const char *label, uint64_t visit, struct answerer *workers, int own)
{
    pid_t pid = test_fork();
    int how = 0;

    if (pid == 0) {
        be_victim(label, visit);
        scatterer_works(own);
    }
    while (!has_ended(pid, &how))
        for (uint32_t i = 0; i < CREW_WORKERS; i++) {
            int rc = answer_for_a_while(&workers[i]);

            TEST_CHECK(rc == 0 || rc == -EOWNERDEAD);
        }
    return how;
}

static int play_both(const char *label, uint64_t visit, int own)
{
    static struct answerer workers[CREW_WORKERS];
    int how;

    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        answerer_open(&workers[i], own ? &own_requests[i] : &requests, &replies[i], crew_names[i]);
    how = play_scatterer(label, visit, workers, own);
    TEST_CHECK(play_scatterer(NULL, 0, workers, own) == 0);
    for (uint32_t i = 0; i < CREW_WORKERS; i++)
        answerer_close(&workers[i]);
    return how == 128 + SIGKILL;
}

static int scene_scatterer(const char *label, uint64_t visit)
{
    return play_both(label, visit, 0);
}

static int scene_scatterer_of_each(const char *label, uint64_t visit)
{
    return play_both(label, visit, 1);
}

static const struct {
    const char *label;
    int (*scene)(const char *label, uint64_t visit); /* Returns 1: the victim died there */
} cases[] = {
    {"call.request_claimed", scene_caller},
    {"call.request_sent", scene_caller},
    {"call.cancel_sent", scene_caller},
    {"call.reply_kept", scene_caller},
    {"publish.stamp_stored", scene_caller},
    {"call.request_queued", scene_responder},
    {"call.request_taken", scene_responder},
    {"call.reply_claimed", scene_responder},
    {"call.reply_sent", scene_responder},
    {"release.cursor_stored", scene_responder},
    {"scatter.sent", scene_scatterer},
    {"scatter.sent_to_one", scene_scatterer_of_each},
    {"gather.reply_kept", scene_scatterer},
};

static int play(uint32_t i, uint64_t seed)
{
    uint64_t visit = 1 + seed * 7 % 40;
    int died;

    channel_make_ring(&requests, 64, test_next_start());
    for (uint32_t k = 0; k < CREW_WORKERS; k++) {
        channel_make_ring(&own_requests[k], 64, test_next_start());
        channel_make_ring(&replies[k], 64, test_next_start());
    }
    died = cases[i].scene(cases[i].label, visit);
    for (uint32_t k = 0; k < CREW_WORKERS; k++) {
        (void)lam_ring_destroy(&own_requests[k]);
        (void)lam_ring_destroy(&replies[k]);
    }
    (void)lam_ring_destroy(&requests);
    return died;
}

int main(int argc, char **argv)
{
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t deaths = 0;

        if (argc > 1 && strcmp(argv[1], cases[i].label) != 0)
            continue;
        for (uint64_t seed = 0; seed < 4 * effort(); seed++)
            deaths += (uint32_t)play(i, seed);
        (void)printf("%s: %u deaths\n", cases[i].label, deaths);
        TEST_CHECK(deaths != 0);
    }
    return 0;
}
