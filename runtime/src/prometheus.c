/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.c: counts as text, in Prometheus' exposition format 0.0.4: a family's lines together
 * under its TYPE, buckets cumulative, the last one +Inf and equal to the count, seconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "usage.h"

/* Buckets are told from 2^FIRST_POWER ns on; what is below is in the first. */
#define FIRST_POWER 5

struct page {
    char *text;
    uint64_t capacity, bytes;
    const char *family; /* of the lines that are being written */
    const char *module;
};

static __attribute__((format(printf, 2, 3))) void write_line(
    struct page *page, const char *format, ...)
{
    uint64_t left = page->bytes < page->capacity ? page->capacity - page->bytes : 0;
    char *to = left == 0 ? NULL : page->text + page->bytes;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(to, left, format, arguments);
    va_end(arguments);
    page->bytes += length > 0 ? (uint64_t)length : 0;
}

/* A label's value: what would end it is written with a backslash. */
static void write_label(struct page *page, const char *name, const char *value)
{
    write_line(page, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            write_line(page, "\\n");
        else
            write_line(page, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    }
    write_line(page, "\"");
}

static void write_name(struct page *page, const char *family, const struct lam_version *version,
    const char *method, const char *le)
{
    write_line(page, "%s{", family);
    write_label(page, "module", page->module);
    write_line(page, ",");
    write_label(page, "method", method);
    write_line(page, ",version=\"%u.%u.%u\"", version->major, version->minor, version->patch);
    if (le != NULL)
        write_line(page, ",le=\"%s\"", le);
    write_line(page, "} ");
}

static void write_calls(void *context, const struct lam_version *version, const char *method,
    const struct lam_usage_sum *sum)
{
    struct page *page = context;

    write_name(page, page->family, version, method, NULL);
    write_line(page, "%" PRIu64 "\n", sum->calls);
}

static void write_failures(void *context, const struct lam_version *version, const char *method,
    const struct lam_usage_sum *sum)
{
    struct page *page = context;

    write_name(page, page->family, version, method, NULL);
    write_line(page, "%" PRIu64 "\n", sum->failures);
}

static void write_durations(void *context, const struct lam_version *version, const char *method,
    const struct lam_usage_sum *sum)
{
    struct page *page = context;
    uint64_t count = 0;
    char le[32];

    for (uint32_t power = 0; power < USAGE_BUCKETS - 1; power++) {
        count += sum->buckets[power];
        if (power < FIRST_POWER)
            continue;
        (void)snprintf(le, sizeof(le), "%.9f", (double)(UINT64_C(1) << power) / 1e9);
        write_name(page, "lamina_module_call_seconds_bucket", version, method, le);
        write_line(page, "%" PRIu64 "\n", count);
    }
    write_name(page, "lamina_module_call_seconds_bucket", version, method, "+Inf");
    write_line(page, "%" PRIu64 "\n", sum->calls);
    write_name(page, "lamina_module_call_seconds_sum", version, method, NULL);
    write_line(page, "%.9f\n", (double)sum->total_ns / 1e9);
    write_name(page, "lamina_module_call_seconds_count", version, method, NULL);
    write_line(page, "%" PRIu64 "\n", sum->calls);
}

static const struct {
    const char *name, *type, *help;
    lam_usage_visit_fn visit;
} families[] = {
    {"lamina_module_calls_total", "counter", "Calls that have ended.", write_calls},
    {"lamina_module_call_failures_total", "counter", "Calls that ended with an error.",
        write_failures},
    {"lamina_module_call_seconds", "histogram", "How long calls took.", write_durations},
};

uint64_t lam_runtime_prometheus(struct lam_runtime *runtime, char *text, uint64_t capacity)
{
    struct page page = {.text = text, .capacity = capacity};

    for (uint32_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        uint32_t count = lam_load_acquire(&runtime->module_count); /* T2 */

        page.family = families[i].name;
        write_line(&page, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help,
            families[i].name, families[i].type);
        for (uint32_t at = 0; at < count; at++) {
            struct lam_module *module =
                (struct lam_module *)(uintptr_t)lam_load_relaxed(&runtime->modules[at]);

            page.module = module->name;
            lam_usage_visit(module, families[i].visit, &page);
        }
    }
    return page.bytes;
}
