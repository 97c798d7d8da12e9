/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ADDER_H
#define TEST_ADDER_H

/*
 * adder.h: an application of one number. An event is a u64 that is added; the reply, what is
 * published and what a query is answered is the sum. 0 is refused. And a process that serves it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lamina/base/clock.h"
#include "lamina/sequencer/sequencer.h"

static void *adder_create(const void *config)
{
    (void)config;
    return calloc(1, sizeof(uint64_t));
}

static void adder_destroy(void *state)
{
    free(state);
}

static void adder_apply(void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    uint64_t *sum = state, value = 0;

    (void)context;
    memcpy(&value, bytes, count < sizeof(value) ? count : sizeof(value));
    if (value == 0) {
        lam_app_refuse(output, 5, "nothing is not added");
        return;
    }
    *sum += value;
    (void)lam_app_reply(output, sum, sizeof(*sum));
    (void)lam_app_publish(output, sum, sizeof(*sum));
}

static void adder_query(const void *state, const struct lam_app_context *context, const void *bytes,
    size_t count, struct lam_app_output *output)
{
    (void)context;
    (void)bytes;
    (void)count;
    (void)lam_app_reply(output, state, sizeof(uint64_t));
}

static int adder_snapshot(const void *state, struct lam_app_writer *writer)
{
    return lam_app_write(writer, state, sizeof(uint64_t));
}

static int adder_restore(void *state, struct lam_app_reader *reader)
{
    return lam_app_read(reader, state, sizeof(uint64_t));
}

static void adder_digest(const void *state, struct lam_app_digest *digest)
{
    lam_app_digest_add(digest, state, sizeof(uint64_t));
}

static const struct lam_app adder = {.name = "adder",
    .version = 1,
    .event_bytes_max = 64,
    .reply_bytes_max = 8,
    .publish_bytes_max = 8,
    .create = adder_create,
    .destroy = adder_destroy,
    .apply = adder_apply,
    .query = adder_query,
    .snapshot = adder_snapshot,
    .restore = adder_restore,
    .digest = adder_digest};

/* A node that dies with this process. */
static pid_t adder_start(const char *journal, const char *address)
{
    struct lam_sequencer_config config = {.directory = journal,
        .listen = {address},
        .segment_bytes = 1 << 20,
        .heartbeat_ns = 2 * LAM_NS_PER_S};
    struct lam_sequencer *sequencer;
    struct lam_error error = {""};
    pid_t parent = getpid(), pid = fork();

    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
    if (lam_sequencer_start(&sequencer, &config, &adder, &error) == 0)
        (void)lam_sequencer_join(sequencer, &error);
    (void)fprintf(stderr, "node: %s\n", error.text);
    _exit(1);
}

static void adder_kill(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(check_wait(pid) == -SIGKILL); /* it has not ended by itself */
}

static void adder_remove(const char *folder)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0);
}

#endif
