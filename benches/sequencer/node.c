/* SPDX-License-Identifier: Apache-2.0 */
/* A node of an application that answers what it is asked, in a process of its own. */
#include "sequencer.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define EVENT_BYTES_MAX 4096
#define START_NS        (60 * BENCH_NS_PER_S)

struct echo {
    uint64_t count, sum;
};

static void *create(const void *config)
{
    return calloc(1, sizeof(struct echo));
}

static void apply(void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    struct echo *echo = state;

    echo->count++;
    for (size_t i = 0; i < count; i++)
        echo->sum += ((const uint8_t *)bytes)[i];
    (void)lam_app_reply(output, bytes, count);
}

static int snapshot(const void *state, struct lam_app_writer *writer)
{
    return lam_app_write(writer, state, sizeof(struct echo));
}

static int restore(void *state, struct lam_app_reader *reader)
{
    return lam_app_read(reader, state, sizeof(struct echo));
}

static void digest(const void *state, struct lam_app_digest *digest)
{
    lam_app_digest_add(digest, state, sizeof(struct echo));
}

static const struct lam_app echo_app = {.name = "bench-echo",
    .version = 1,
    .event_bytes_max = EVENT_BYTES_MAX,
    .reply_bytes_max = EVENT_BYTES_MAX,
    .create = create,
    .destroy = free,
    .apply = apply,
    .snapshot = snapshot,
    .restore = restore,
    .digest = digest};

static enum lam_sequencer_policy policy_of_all;

static void be_a_node(const struct node_process *node)
{
    struct lam_sequencer_config config = {.directory = node->folder,
        .listen = {node->address},
        .policy = policy_of_all,
        .segment_bytes = UINT64_C(16) << 20};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(lam_sequencer_run(&config, &echo_app));
}

static void launch(struct node_process *node)
{
    node->pid = fork();
    if (node->pid == 0)
        be_a_node(node);
    if (node->pid < 0) {
        perror("bench: fork");
        exit(1);
    }
}

void bench_node_start(
    struct node_process *node, const char *transport, enum lam_sequencer_policy policy)
{
    const char *disk = getenv("TMPDIR"); /* where the journal lies decides what is measured */

    policy_of_all = policy;
    (void)snprintf(node->folder, sizeof(node->folder), "%s/lamina-bench-XXXXXX",
        disk != NULL ? disk : "/var/tmp");
    if (mkdtemp(node->folder) == NULL) {
        perror("bench: a folder for the journal");
        exit(1);
    }
    if (strcmp(transport, "tcp") == 0)
        (void)snprintf(node->address, sizeof(node->address), "tcp:127.0.0.1:%d",
            20000 + (int)(getpid() % 20000));
    else
        (void)snprintf(node->address, sizeof(node->address), "unix:%s/socket", node->folder);
    launch(node);
}

void bench_node_stop(struct node_process *node)
{
    int status;

    (void)kill(node->pid, SIGTERM);
    if (waitpid(node->pid, &status, 0) != node->pid || status != 0) {
        (void)fprintf(stderr, "bench: the node ended with status %#x\n", (unsigned)status);
        exit(1);
    }
}

uint64_t bench_node_restart(struct node_process *node)
{
    uint64_t began = bench_now_ns();
    struct lam_sequencer_client *client;

    launch(node);
    client = bench_node_client(node);
    began = bench_now_ns() - began;
    lam_sequencer_client_destroy(client);
    return began;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    return remove(path);
}

void bench_node_remove(const struct node_process *node)
{
    (void)nftw(node->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct lam_sequencer_client *bench_node_client(const struct node_process *node)
{
    struct lam_sequencer_client_options options = {
        .address = node->address, .retry_ns = BENCH_NS_PER_S / 1000};
    struct lam_sequencer_client *client;
    struct lam_sequencer_reply reply;
    struct lam_error error;
    uint64_t deadline_ns = lam_deadline_after_ns(START_NS);

    if (lam_sequencer_client_create(&client, &options, &error) != 0) {
        (void)fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    if (lam_sequencer_client_call_until(client, 0, "", 0, deadline_ns, &reply) != 0 ||
        reply.kind != LAM_SEQUENCER_REPLY) {
        (void)fprintf(stderr, "bench: the node at %s does not answer: %s\n", node->address,
            lam_sequencer_client_failure(client));
        exit(1);
    }
    return client;
}

void bench_node_call(struct lam_sequencer_client *client, const void *request, uint32_t bytes)
{
    uint64_t deadline_ns = lam_deadline_after_ns(START_NS);
    struct lam_sequencer_reply reply;

    if (lam_sequencer_client_call_until(client, 0, request, bytes, deadline_ns, &reply) != 0 ||
        reply.kind != LAM_SEQUENCER_REPLY || reply.count != bytes ||
        memcmp(reply.bytes, request, bytes) != 0) {
        (void)fprintf(stderr, "bench: no answer, or not that of the request\n");
        exit(1);
    }
}
