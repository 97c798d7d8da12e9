/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_REMOTE_STAGE_H
#define LAM_TEST_REMOTE_STAGE_H

/*
 * stage.h: a host in a process of its own, with two modules, and a folder for its endpoint.
 */

#include <sys/stat.h>
#include <unistd.h>

#include "lamina/runtime/messages.h"
#include "lamina/runtime/remote.h"
#include "modules.h"
#include "processes.h"

static char stage_folder[] = "/tmp/lamina-remote-XXXXXX";
static struct lam_error stage_error;
static struct lam_runtime_options stage_options; /* of the host's runtime */
static const char *stage_apart; /* a kind that is loaded as "apart", in a worker; or NULL */

/* A process that ends when a byte comes from @stop, or its writer is gone. */
struct stage_host {
    pid_t pid;
    int stop;
};

static inline uint64_t stage_soon(void)
{
    return lam_deadline_after_ns(20 * LAM_NS_PER_S);
}

static inline void stage_open_folder(void)
{
    TEST_CHECK(mkdtemp(stage_folder) != NULL);
}

static inline void stage_close_folder(void)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/runtime.lock", stage_folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/runtime.sock", stage_folder);
    (void)unlink(path);
    TEST_CHECK(rmdir(stage_folder) == 0);
}

static inline void stage_load(struct lam_runtime *runtime, const char *kind, const char *name)
{
    struct lam_module_options options = {.name = name, .counts_calls = 1};
    struct lam_module *module;

    TEST_OK(
        lam_runtime_load(runtime, module_file(kind), &options, &module, &stage_error), stage_error);
}

/* In a worker that may answer with 4 KiB. */
static inline void stage_load_apart(struct lam_runtime *runtime)
{
    struct lam_sandbox_options sandbox = {.reply_bytes = 4096};
    struct lam_module_options options = {
        .host = LAM_MODULE_IN_WORKER, .name = "apart", .sandbox = &sandbox};
    struct lam_module *module;

    TEST_OK(lam_runtime_load(runtime, module_file(stage_apart), &options, &module, &stage_error),
        stage_error);
}

static inline _Noreturn void stage_run(const struct lam_remote_options *options, int stop)
{
    struct lam_remote_options own = *options;
    struct lam_remote_server *server;
    struct lam_runtime *runtime;
    char byte, worker[4096];

    own.directory = stage_folder;
    (void)snprintf(worker, sizeof(worker), "%s/lamina_worker", getenv("LAMINA_BIN"));
    if (stage_apart != NULL)
        stage_options.worker = worker;
    TEST_OK(lam_runtime_create(&runtime, &stage_options, &stage_error), stage_error);
    stage_load(runtime, "first", "first");
    stage_load(runtime, "concurrent", "many");
    if (stage_apart != NULL)
        stage_load_apart(runtime);
    TEST_OK(lam_remote_serve(&server, runtime, &own, &stage_error), stage_error);
    (void)!read(stop, &byte, 1);
    lam_remote_serve_end(server);
    lam_runtime_destroy(runtime);
    exit(0); /* a sanitizer looks for leaks */
}

static inline struct stage_host stage_begin(const struct lam_remote_options *options)
{
    struct stage_host host;
    int ends[2];

    TEST_CHECK(pipe(ends) == 0);
    host.pid = test_fork();
    if (host.pid == 0) {
        (void)close(ends[1]);
        stage_run(options, ends[0]);
    }
    (void)close(ends[0]);
    host.stop = ends[1];
    return host;
}

/* It ends in order, and has freed everything. */
static inline void stage_end(struct stage_host *host)
{
    (void)close(host->stop);
    TEST_CHECK(test_wait(host->pid) == 0);
}

static inline struct lam_remote *stage_connect(uint32_t wants_events)
{
    struct lam_remote_client_options options = {
        .directory = stage_folder, .wants_events = wants_events};
    struct lam_remote *remote;

    TEST_OK(lam_remote_connect(&remote, &options, stage_soon(), &stage_error), stage_error);
    return remote;
}

/* "echo" of the module "first" answers its kind, then what came. */
static inline void stage_all_is_well(struct lam_remote *remote)
{
    char room[8];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    int rc = lam_remote_call(remote, "first", "echo", "abc", 3, &reply, stage_soon());

    if (rc != 0)
        printf("%d, failure %u %d: %s\n", rc, reply.failure, reply.detail, lam_remote_why(remote));
    TEST_CHECK(rc == 0);
    TEST_CHECK(reply.bytes == 4 && memcmp(room, "\1abc", 4) == 0);
    TEST_CHECK(reply.failure == LAM_FAILURE_NONE);
}

#endif
