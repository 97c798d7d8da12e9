/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_YAML_H
#define LAM_TEST_YAML_H

/*
 * yaml.h: what the suites of runtime.yaml share: a file from its text, a runtime made of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/batch.h"
#include "lamina/runtime/breaker.h"
#include "lamina/runtime/cache.h"
#include "lamina/runtime/config.h"
#include "lamina/runtime/dependency.h"
#include "lamina/runtime/events.h"
#include "lamina/runtime/health.h"
#include "lamina/runtime/limits.h"
#include "lamina/runtime/pool.h"
#include "lamina/runtime/retry.h"
#include "lamina/runtime/split.h"
#include "lamina/runtime/trace.h"
#include "modules.h"

static struct lam_runtime_config *config;
static struct lam_runtime *runtime;
static struct lam_error error;
static char *report;

static inline void teardown(void)
{
    lam_runtime_destroy(runtime);
    lam_runtime_config_destroy(config);
    free(report);
}

static inline int read_as(const char *name, const char *text)
{
    free(report);
    lam_runtime_config_destroy(config);
    config = NULL;
    return lam_runtime_config_read_text(&config, name, text, strlen(text), &report);
}

static inline void accept(const char *text)
{
    cr_assert(eq(int, read_as("t.yaml", text), 0), "%s", report);
}

/* The first line of the report. */
static inline void refuse(const char *text, const char *message)
{
    size_t length;

    cr_assert(eq(int, read_as("t.yaml", text), -EINVAL), "%s", text);
    length = strcspn(report, "\n");
    cr_expect(length == strlen(message) && strncmp(report, message, length) == 0,
        "for:\n%s\nexpected: %s\nfound:    %s", text, message, report);
}

static inline const struct lam_runtime_wanted *wanted(uint32_t index)
{
    return lam_runtime_config_module(config, index);
}

static inline void make_runtime(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, lam_runtime_config_options(config), &error), 0));
}

static inline int copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
    int byte;

    cr_assert(in != NULL && out != NULL);
    while ((byte = getc(in)) != EOF)
        (void)putc(byte, out);
    return fclose(in) | fclose(out);
}

/* All but the last digit of a sum. */
#define SUM "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0"

#endif
