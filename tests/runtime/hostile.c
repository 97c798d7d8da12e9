/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c: a worker that writes what no worker writes, and all over its channel, harms nobody:
 * its caller gets an error by the deadline, and nothing of it is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"
#include "processes.h"

#define WAYS 13 /* of hostile_worker.c; more are seeds of what it scribbles */

static struct lam_error error;

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static struct lam_runtime *make_runtime(void)
{
    struct lam_runtime_options options = {.worker = HOSTILE_WORKER};
    struct lam_runtime *runtime;

    TEST_OK(lam_runtime_create(&runtime, &options, &error), error);
    return runtime;
}

static int load(struct lam_runtime *runtime, struct lam_module **module)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};

    return lam_runtime_load(runtime, module_file("first"), &options, module, &error);
}

static int ask(struct lam_module *module, struct lam_module_reply *reply)
{
    return lam_module_call(
        module, LAM_METHOD_ID("echo"), "abc", 3, reply, lam_deadline_after_ns(LAM_NS_PER_S / 2));
}

/* One way; the call of a good worker first, so that a test of nothing is seen. */
static void call_hostile(unsigned way)
{
    char number[16], room[16];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};
    struct lam_runtime *runtime;
    struct lam_module *module;
    int rc;

    (void)snprintf(number, sizeof(number), "%u", way);
    TEST_CHECK(setenv("LAMINA_HOSTILE", number, 1) == 0);
    runtime = make_runtime();
    TEST_OK(load(runtime, &module), error);
    rc = ask(module, &reply);
    if (way == 0) {
        TEST_CHECK(rc == 0 && reply.bytes == 2 && memcmp(room, "ok", 2) == 0);
    } else if (way <= WAYS) {
        printf("way %u: %d, failure %u\n", way, rc, reply.failure);
        TEST_CHECK(rc < 0 && reply.failure != LAM_FAILURE_NONE);
        TEST_CHECK(way == 13 || reply.failure == LAM_FAILURE_POISONED);
    } else if (rc == 0) {
        TEST_CHECK(reply.bytes <= sizeof(room)); /* it spared what counts */
    } else {
        TEST_CHECK(reply.failure != LAM_FAILURE_NONE);
    }
    lam_runtime_destroy(runtime);
}

static void expect_refused(const char *how)
{
    struct lam_runtime *runtime;
    struct lam_module *module;

    TEST_CHECK(setenv("LAMINA_HOSTILE_OPEN", how, 1) == 0);
    runtime = make_runtime();
    TEST_CHECK(load(runtime, &module) == -EPROTO);
    lam_runtime_destroy(runtime);
    TEST_CHECK(unsetenv("LAMINA_HOSTILE_OPEN") == 0);
}

static unsigned open_files(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int main(void)
{
    static const char *const wrong[] = {
        "name", "method", "id", "count", "short", "report", "step", "asked"};
    unsigned before = open_files();

    for (unsigned way = 0; way <= WAYS; way++)
        call_hostile(way);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_refused(wrong[i]);
    for (unsigned seed = 0; seed < 5 * effort(); seed++)
        call_hostile(WAYS + 1 + seed);
    TEST_CHECK(open_files() == before);
    return 0;
}
