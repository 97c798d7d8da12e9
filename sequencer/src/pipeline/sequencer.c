/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer.c: a node of production: its worlds, its transports, its threads.
 */
#include "lamina/sequencer/sequencer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/small_file.h"
#include "pipeline/sequencer.h"
#include "pipeline/settings.h"
#include "pipeline/shared.h"
#include "transport/socket.h"

#define OUTPUT_BYTES_MIN (UINT64_C(64) << 10)
#define OUTPUT_BYTES_MAX (UINT64_C(16) << 20)
#define KEYS_BYTES_MAX   (UINT32_C(8) << 20)
#define GOODBYE_NS       UINT64_C(1000000000)
#define LOOK_NS          UINT64_C(1000000)
/* For a process that was killed to be gone: it has its address and its journal until then. */
#define TAKEOVER_NS    UINT64_C(2000000000)
#define TAKEOVER_LOOKS 100

/* Only two stages have anything to do with files, and those of one folder. */
static int has_files(unsigned thread, unsigned thread_count)
{
    return runner_thread_of(NODE_JOURNAL, thread_count) == thread ||
           runner_thread_of(NODE_SHADOW, thread_count) == thread;
}

static int make_worlds(struct lam_sequencer *sequencer, struct lam_error *error)
{
    const char *folder = sequencer->settings.directory;
    unsigned threads = sequencer->settings.threads;
    int result = env_make_folder(folder);

    if (result < 0)
        return lam_error_set(
            error, result, "directory: %s: cannot be made: %s", folder, strerrordesc_np(-result));
    for (unsigned i = 0; i < threads; i++) {
        result = lam_env_linux_init(&sequencer->worlds[i], has_files(i, threads) ? folder : NULL);
        if (result < 0)
            return lam_error_set(
                error, result, "directory: %s: %s", folder, strerrordesc_np(-result));
        sequencer->world_count++;
    }
    for (unsigned i = 0; i < NODE_STAGES; i++)
        sequencer->config.envs[i] =
            &sequencer->worlds[runner_thread_of((enum node_stage)i, threads)].env;
    return 0;
}

static int listen_at(struct lam_sequencer *sequencer, const struct lam_app *app,
    const char *address, struct lam_error *error)
{
    const struct lam_sequencer_config *settings = &sequencer->settings;
    struct node_config *config = &sequencer->config;
    uint64_t output = (uint64_t)UNANSWERED_WINDOWS * settings->window *
                      (app->reply_bytes_max + UINT64_C(2) * FRAME_HEADER_BYTES);
    struct socket_transport_config transport = {.reader = config->envs[NODE_READER],
        .writer = config->envs[NODE_RESPONSE],
        .address = address,
        .number = config->transport_count + 1,
        .frame_bytes_max = FRAME_HEAD_BYTES_MAX + app->event_bytes_max,
        .connections_max =
            settings->connections_max < UINT16_MAX ? settings->connections_max + 1 : UINT16_MAX};
    int result;

    if (strncmp(address, "shm:", 4) == 0)
        return lam_error_set(error, -ENOTSUP,
            "listen: %s: nobody comes by shared memory yet: use unix:PATH or tcp:HOST:PORT",
            address);
    /* Who reads all that it asked for is never cut. */
    output = output < OUTPUT_BYTES_MIN ? OUTPUT_BYTES_MIN : output;
    transport.output_bytes = (uint32_t)(output > OUTPUT_BYTES_MAX ? OUTPUT_BYTES_MAX : output);
    result =
        socket_transport_create(&config->transports[config->transport_count], &transport, error);
    if (result < 0)
        return lam_error_prefix(error, result, "listen: ");
    config->transport_count++;
    return 0;
}

/* Returns 1 after a moment, in which a predecessor may have gone, or 0: that was the last one. */
static int wait_for_predecessor(struct lam_sequencer *sequencer)
{
    struct lam_env *env = sequencer->config.envs[NODE_JOURNAL];
    uint64_t now_ns = env->ops->now_ns(env), end_ns = now_ns + TAKEOVER_NS / TAKEOVER_LOOKS;

    if (sequencer->looks++ == TAKEOVER_LOOKS)
        return 0;
    for (; now_ns < end_ns; now_ns = env->ops->now_ns(env))
        env->ops->wait(env, end_ns);
    return 1;
}

static int listen_all(
    struct lam_sequencer *sequencer, const struct lam_app *app, struct lam_error *error)
{
    int result = 0;

    if (sequencer->settings.listen[0] == NULL)
        return lam_error_set(
            error, -EINVAL, "listen: nothing; it is unix:PATH or tcp:HOST:PORT, one at least");
    for (unsigned i = 0; i < LAM_SEQUENCER_LISTEN_MAX && result == 0; i++)
        if (sequencer->settings.listen[i] != NULL)
            do
                result = listen_at(sequencer, app, sequencer->settings.listen[i], error);
            while (result == -EADDRINUSE && wait_for_predecessor(sequencer));
    return result;
}

static int open_node(struct lam_sequencer *sequencer, struct lam_error *error)
{
    int result;

    do
        result = node_open(&sequencer->node, &sequencer->config, error);
    while (result == -EBUSY && wait_for_predecessor(sequencer));
    return result;
}

static int read_keys(struct lam_sequencer *sequencer, struct lam_error *error)
{
    const char *path = sequencer->settings.keys;
    char *bytes = path != NULL ? malloc(KEYS_BYTES_MAX) : NULL;
    int64_t count;
    int result;

    if (path == NULL)
        return 0;
    if (bytes == NULL)
        return lam_error_set(error, -ENOMEM, "keys: no memory");
    count = lam_env_small_file(path, 0, bytes, KEYS_BYTES_MAX, error);
    result =
        count < 0 ? (int)count : keys_parse(&sequencer->keys, bytes, (size_t)count, path, error);
    free(bytes);
    if (result == 0)
        sequencer->config.keys = &sequencer->keys;
    return result;
}

static int prepare(struct lam_sequencer *sequencer, const struct lam_sequencer_config *config,
    const struct lam_app *app, struct lam_error *error)
{
    int result = settings_fill(&sequencer->settings, config, app, error);

    if (result < 0)
        return result;
    if (config->directory == NULL)
        return lam_error_set(error, -EINVAL, "directory: none; it is where the journal lies");
    sequencer->config.sequencer = &sequencer->settings;
    sequencer->config.app = app;
    if ((result = read_keys(sequencer, error)) < 0 ||
        (result = make_worlds(sequencer, error)) < 0 ||
        (result = listen_all(sequencer, app, error)) < 0 ||
        (result = open_node(sequencer, error)) < 0)
        return result;
    sequencer->first_sequence = node_next(sequencer->node);
    if (config->lock_memory && (result = env_lock_memory()) < 0)
        return lam_error_set(error, result,
            "lock_memory: %s: raise the limit of locked memory, or leave it off",
            strerrordesc_np(-result));
    return 0;
}

/* Goodbyes go out, for a moment: no stage does it any more. */
static void see_off(struct lam_sequencer *sequencer)
{
    struct lam_env *env = sequencer->config.envs[NODE_RESPONSE];
    uint64_t until_ns = env->ops->now_ns(env) + GOODBYE_NS;
    uint32_t left;

    do {
        left = 0;
        for (unsigned i = 0; i < sequencer->config.transport_count; i++) {
            struct transport *transport = sequencer->config.transports[i];
            struct transport_event event;

            while (transport->ops->next(transport, &event) == 1)
                if (event.kind == TRANSPORT_CONNECTED)
                    transport->ops->close(transport, event.connection);
            (void)transport->ops->flush(transport);
            left += socket_transport_connections(transport);
        }
        if (left != 0)
            env->ops->wait(env, env->ops->now_ns(env) + LOOK_NS);
    } while (left != 0 && env->ops->now_ns(env) < until_ns);
}

static void free_all(struct lam_sequencer *sequencer)
{
    if (sequencer->node != NULL)
        node_close(sequencer->node);
    for (unsigned i = 0; i < sequencer->config.transport_count; i++)
        sequencer->config.transports[i]->ops->destroy(sequencer->config.transports[i]);
    while (sequencer->world_count > 0)
        lam_env_linux_fini(&sequencer->worlds[--sequencer->world_count]);
    if (sequencer->config.keys != NULL)
        keys_free(&sequencer->keys);
    free(sequencer);
}

static int run(struct lam_sequencer *sequencer, struct lam_error *error)
{
    const struct lam_sequencer_config *settings = &sequencer->settings;
    struct runner_options options = {.spins = settings->waiting == LAM_SEQUENCER_SPIN,
        .thread_count = settings->threads,
        .cpus = settings->cpus,
        .cpu_count = settings->cpu_count};

    return runner_start(&sequencer->runner, sequencer->node, &options, error);
}

int lam_sequencer_start(struct lam_sequencer **sequencer, const struct lam_sequencer_config *config,
    const struct lam_app *app, struct lam_error *error)
{
    struct lam_sequencer *made = calloc(1, sizeof(*made));
    int result;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "no memory for a sequencer");
    result = prepare(made, config, app, error);
    if (result == 0)
        result = run(made, error);
    if (result < 0) {
        free_all(made);
        return result;
    }
    *sequencer = made;
    return 0;
}

void lam_sequencer_stop(struct lam_sequencer *sequencer)
{
    node_stop(sequencer->node);
}

int sequencer_wait(struct lam_sequencer *sequencer, struct lam_error *error)
{
    int result = runner_join(&sequencer->runner, error);

    if (result == 0)
        see_off(sequencer);
    return result;
}

int lam_sequencer_join(struct lam_sequencer *sequencer, struct lam_error *error)
{
    int result = sequencer_wait(sequencer, error);

    free_all(sequencer);
    return result;
}
