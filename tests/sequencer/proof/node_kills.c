/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_kills.c: a real node on the machine's own disk, a process of its own, killed and stopped
 * again and again while clients of the library ask it; what they were told is one order, kept.
 * Size: LAMINA_EFFORT, eleven kills for each.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "env/linux.h"
#include "lamina/sequencer/client.h"
#include "lamina/sequencer/sequencer.h"
#include "proof/reading.h"
#include "proof/workload.h"

#define KILLS    11
#define CLIENTS  4
#define WINDOW   16U
#define REQUESTS UINT64_C(64) /* more than the window by far */
#define OPS_MAX  400000
#define ANSWERS  120 /* between two kills, at most */
#define SEGMENT  UINT64_C(1048576)
#define BATCH    65536

struct asker {
    struct lam_sequencer_client *client;
    size_t ops[REQUESTS]; /* of request number, at number % REQUESTS */
    unsigned under_way;
};

static char folder[200], address[256];
static struct asker askers[CLIENTS];
static struct lam_sequencer_client *subscriber;
static struct workload workload;
static struct workload_histogram histogram;
static struct history_op *ops;
static size_t op_count;
static struct history_publication *publications;
static size_t publication_count;
static uint64_t now_counted, answers, repeats, busy, last_sequence;
static pid_t node;

static struct lam_sequencer_config node_config(void)
{
    return (struct lam_sequencer_config){.directory = folder,
        .listen = {address},
        .segment_bytes = SEGMENT,
        .reserve_bytes = BATCH,
        .batch_bytes = BATCH,
        .window = WINDOW,
        .sessions_max = 64,
        .digest_events = 100,
        .tick_ns = UINT64_C(50000000)};
}

static int run_node(void *unused)
{
    static struct book_config book;
    struct lam_app app = book_app(&book);
    struct lam_sequencer_config config = node_config();
    int null = open("/dev/null", O_WRONLY);

    (void)unused;
    CHECK(null >= 0);
    if (getenv("LAMINA_LOUD") == NULL)
        CHECK(dup2(null, STDERR_FILENO) >= 0);
    (void)close_range(3, ~0U, 0); /* the other end of its own clients among them */
    return lam_sequencer_run(&config, &app);
}

static void make_clients(void)
{
    const struct lam_sequencer_client_options options = {
        .address = address, .window = WINDOW, .retry_ns = UINT64_C(2000000)};

    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK(lam_sequencer_client_create(&askers[i].client, &options, NULL) == 0);
    CHECK(lam_sequencer_client_create(&subscriber, &options, NULL) == 0);
    CHECK(lam_sequencer_client_subscribe(subscriber, 1) == 0);
}

/* Returns 1 where one more was sent. */
static int ask(struct asker *asker)
{
    int is_query = random_once_in(&workload.random, 5);
    struct history_op *op = &ops[op_count];
    uint8_t bytes[sizeof(op->op) + 64] = {0};
    uint64_t request = 0;

    if (asker->under_way == WINDOW || op_count == OPS_MAX)
        return 0;
    *op = (struct history_op){
        .op = workload_op(&workload, is_query, op_count + 1), .asked = ++now_counted};
    memcpy(bytes, &op->op, sizeof(op->op));
    if (lam_sequencer_client_try_send(asker->client, is_query, bytes,
            sizeof(op->op) + random_below(&workload.random, 64), &request) != 1)
        return 0;
    histogram.verbs[op->op.verb]++;
    asker->ops[request % REQUESTS] = op_count++;
    asker->under_way++;
    return 1;
}

static void hear(struct asker *asker, const struct lam_sequencer_reply *reply)
{
    struct history_op *op = &ops[asker->ops[reply->request % REQUESTS]];

    CHECK(op->end == HISTORY_UNKNOWN && op->asked != 0);
    asker->under_way--;
    op->answered = ++now_counted;
    op->end = HISTORY_ANSWERED;
    repeats += reply->is_repeat != 0;
    answers++;
    if (reply->kind == LAM_SEQUENCER_REFUSED && reply->code < REFUSED_APP) {
        op->end = op->op.verb == MODEL_GET ? HISTORY_UNKNOWN : HISTORY_REFUSED;
        op->asked = op->op.verb == MODEL_GET ? 0 : op->asked; /* it says nothing */
        busy++;
        return;
    }
    if (reply->kind == LAM_SEQUENCER_REFUSED) {
        op->result.refused = reply->code - REFUSED_APP;
        return;
    }
    CHECK(reply->count == sizeof(op->result));
    memcpy(&op->result, reply->bytes, sizeof(op->result));
    op->sequence = reply->sequence;
    if (op->op.verb != MODEL_GET && op->sequence > last_sequence)
        last_sequence = op->sequence;
}

static void hear_publication(const struct lam_sequencer_reply *reply)
{
    struct history_publication *one = &publications[publication_count++];

    CHECK(reply->kind == LAM_SEQUENCER_EVENT && reply->count == sizeof(one->result));
    CHECK(publication_count <= OPS_MAX);
    one->sequence = reply->sequence;
    one->index = reply->index;
    memcpy(&one->result, reply->bytes, sizeof(one->result));
}

/* All hear and ask once; where nothing has come, wait for a moment. */
static void step_all(int is_asking)
{
    struct lam_sequencer_reply reply;
    struct pollfd fds[CLIENTS + 1];
    unsigned did = 0;
    int result;

    for (unsigned i = 0; i < CLIENTS; i++) {
        while ((result = lam_sequencer_client_step(askers[i].client, &reply)) == 1) {
            hear(&askers[i], &reply);
            did++;
        }
        if (result < 0)
            (void)fprintf(
                stderr, "client %u: %s\n", i, lam_sequencer_client_failure(askers[i].client));
        CHECK(result == 0);
        did += is_asking && ask(&askers[i]);
    }
    while ((result = lam_sequencer_client_step(subscriber, &reply)) == 1) {
        hear_publication(&reply);
        did++;
    }
    CHECK(result == 0);
    if (did != 0)
        return;
    for (unsigned i = 0; i <= CLIENTS; i++)
        fds[i] = (struct pollfd){.fd = lam_sequencer_client_fd(
                                     i < CLIENTS ? askers[i].client : subscriber, &(uint64_t){0}),
            .events = POLLIN};
    (void)poll(fds, CLIENTS + 1, 1);
}

static uint64_t pick(uint64_t count)
{
    return random_below(&workload.random, count);
}

/* It stands still for a while, and does not know it; half of the time it goes on. */
static void be_silent(void)
{
    uint64_t until = answers + 1 + pick(ANSWERS);

    CHECK(kill(node, SIGSTOP) == 0);
    for (int i = 0; i < 20; i++)
        step_all(1);
    if (pick(2) == 0)
        return;
    CHECK(kill(node, SIGCONT) == 0);
    while (answers < until)
        step_all(1);
}

/* At any moment: while it serves, and, where @answers_wanted is 0, while it comes up. */
static void one_life(void)
{
    uint64_t until = answers + (pick(4) == 0 ? 0 : 1 + pick(ANSWERS)), rest = pick(20);

    node = check_fork(run_node, NULL);
    while (answers < until)
        step_all(1);
    while (rest-- != 0)
        step_all(1);
    if (pick(3) == 0)
        be_silent();
    CHECK(kill(node, SIGKILL) == 0 && check_wait(node) == -SIGKILL);
}

static int is_under_way(void)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        if (askers[i].under_way != 0)
            return 1;
    return 0;
}

/* The last one answers everything, and ends in order. */
static void last_life(void)
{
    node = check_fork(run_node, NULL);
    while (is_under_way() || publication_count == 0 ||
           publications[publication_count - 1].sequence < last_sequence)
        step_all(0);
    CHECK(kill(node, SIGTERM) == 0 && check_wait(node) == 0);
}

static void judge(uint64_t kills)
{
    struct lam_env_linux env;
    struct reading reading;
    struct history_verdict verdict;
    int result;

    CHECK(lam_env_linux_init(&env, folder) == 0);
    result = reading_begin(&reading,
        &(struct journal_config){.env = &env.env,
            .segment_bytes = SEGMENT,
            .reserve_bytes = BATCH,
            .sector_bytes = 4096,
            .batch_bytes = BATCH,
            .mark_batches = 16},
        &(struct machine_config){.sessions_max = 64,
            .window = WINDOW,
            .reply_bytes = WINDOW * sizeof(struct model_result)});
    if (result != 0)
        (void)fprintf(stderr, "the journal: %s\n", reading.error.text);
    CHECK(result == 0);
    (void)printf("%llu kills, %llu answers, %llu repeats, %llu refusals, %zu records, "
                 "%zu publications, %llu digests\n",
        (unsigned long long)kills, (unsigned long long)answers, (unsigned long long)repeats,
        (unsigned long long)busy, reading.count, publication_count,
        (unsigned long long)reading.digests);
    if (!history_check(&(struct history){.ops = ops,
                           .op_count = op_count,
                           .records = reading.records,
                           .record_count = reading.count,
                           .publications = publications,
                           .publication_count = publication_count},
            &verdict)) {
        (void)fprintf(stderr, "node_kills: seed %llu: %s (request %llu, sequence %llu)\n",
            (unsigned long long)kills, history_rule_text(verdict.rule),
            (unsigned long long)verdict.id, (unsigned long long)verdict.sequence);
        CHECK(verdict.rule == HISTORY_GOOD);
    }
    CHECK(reading.epochs >= 1 && answers > kills);
    reading_end(&reading);
    lam_env_linux_fini(&env);
}

static void remove_folder(void)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    (void)system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

int main(void)
{
    const char *text = getenv("LAMINA_EFFORT");
    long effort = text != NULL ? strtol(text, NULL, 10) : 1;
    uint64_t kills = KILLS * (uint64_t)(effort < 1 ? 1 : effort);

    (void)snprintf(folder, sizeof(folder), "/tmp/lamina-node-kills-XXXXXX");
    CHECK(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
    (void)snprintf(address, sizeof(address), "unix:%s/node", folder);
    ops = calloc(OPS_MAX, sizeof(*ops));
    publications = calloc(OPS_MAX + 1, sizeof(*publications));
    CHECK(ops != NULL && publications != NULL);
    workload_begin(&workload, 1);
    make_clients();
    for (uint64_t i = 0; i < kills; i++)
        one_life();
    last_life();
    for (unsigned i = 0; i < CLIENTS; i++)
        lam_sequencer_client_destroy(askers[i].client);
    lam_sequencer_client_destroy(subscriber);
    judge(kills);
    free(ops);
    free(publications);
    return 0;
}
