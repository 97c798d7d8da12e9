/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RUNTIME_WELL_H
#define LAM_TEST_RUNTIME_WELL_H

/*
 * well.h: for the suites of health: a module that is as well as a file says.
 */
#include "lamina/runtime/health.h"

#include <fcntl.h>

#include "lamina/runtime/breaker.h"
#include "pool.h"

static char file[] = "/tmp/lamina-health-XXXXXX";
static char letters[80]; /* where the health of all is */
static char hanging[96]; /* and where it is that somebody hangs */

static inline void setup_health(void)
{
    int fd;

    setup();
    fd = mkstemp(file);
    cr_assert(fd >= 0);
    (void)close(fd);
    (void)unlink(file);
    (void)snprintf(letters, sizeof(letters), "%s.health", file);
    (void)snprintf(hanging, sizeof(hanging), "%s.hanging", letters);
}

static inline void teardown_health(void)
{
    (void)unlink(letters);
    (void)unlink(hanging);
    teardown();
}

/* Often, and one answer counts. */
static const struct lam_health_options often = {
    .failures = 1, .successes = 1, .interval_ns = LAM_NS_PER_MS, .timeout_ns = LONG_NS};

static inline void load_breaker(enum lam_module_host host, const struct lam_pool_options *pool,
    const struct lam_health_options *health, const struct lam_breaker_options *breaker)
{
    struct lam_module_options options = {.host = host,
        .pool = pool,
        .health = health,
        .breaker = breaker,
        .config = file,
        .config_bytes = sizeof(file)};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("pool"), &options, &module, &error), 0),
        "%s", error.text);
}

static inline void load_health(enum lam_module_host host, const struct lam_pool_options *pool,
    const struct lam_health_options *health)
{
    load_breaker(host, pool, health, NULL);
}

/* In one step: whoever reads it sees the old one or the new one. */
static inline void say(const char *path, char letter)
{
    char other[96];
    int fd;

    (void)snprintf(other, sizeof(other), "%s.new", path);
    fd = creat(other, 0600);
    cr_assert(eq(sz, (size_t)write(fd, &letter, 1), 1));
    (void)close(fd);
    cr_assert(eq(int, rename(other, path), 0));
}

static inline struct lam_health_stat look_health(void)
{
    struct lam_health_stat stat;

    cr_assert(eq(int, lam_health_look(module, &stat), 0));
    return stat;
}

static inline void expect_refused(enum lam_health_state state)
{
    struct lam_module_reply reply = {.data = NULL};
    uint64_t before = look_health().refused;

    cr_assert(eq(int, ask("echo", NULL, 0, &reply, LONG_NS), -ECANCELED));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_UNREADY));
    cr_assert(eq(i32, reply.detail, (int32_t)state));
    cr_assert(eq(u64, look_health().refused, before + 1));
}

#endif
