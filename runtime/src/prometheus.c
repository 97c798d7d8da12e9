/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus.c: counts as text, in Prometheus' exposition format 0.0.4: a family's lines together
 * under its TYPE, buckets cumulative, the last one +Inf and equal to the count, seconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
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
    size_t field;
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

/* A label's value: what would end it is written with a backslash, and what moves a cursor as
 * digits behind two. */
static void write_label(struct page *page, const char *name, const char *value)
{
    write_line(page, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            write_line(page, "\\n");
        else if ((unsigned char)*value < ' ' || *value == 0x7f)
            write_line(page, "\\\\x%02x", (unsigned char)*value);
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

/* The field of the sum that the family tells of. */
static void write_count(void *context, const struct lam_version *version, const char *method,
    const struct lam_usage_sum *sum)
{
    struct page *page = context;
    uint64_t count;

    memcpy(&count, (const char *)sum + page->field, sizeof(count));
    write_name(page, page->family, version, method, NULL);
    write_line(page, "%" PRIu64 "\n", count);
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

/* ---- families ---- */

static const struct {
    const char *name, *type, *help;
    lam_usage_visit_fn visit;
    size_t field;
} families[] = {
    {"lamina_module_calls_total", "counter", "Calls that have ended.", write_count,
        offsetof(struct lam_usage_sum, calls)},
    {"lamina_module_call_failures_total", "counter", "Calls that ended with an error.", write_count,
        offsetof(struct lam_usage_sum, failures)},
    {"lamina_module_call_timeouts_total", "counter", "Calls that had not ended by their deadline.",
        write_count, offsetof(struct lam_usage_sum, timeouts)},
    {"lamina_module_call_crashes_total", "counter", "Calls that ended their worker.", write_count,
        offsetof(struct lam_usage_sum, crashes)},
    {"lamina_module_call_seconds", "histogram", "How long calls took.", write_durations, 0},
};

/* Of whole modules, whether their calls are counted or not. */
static const struct {
    const char *name, *help;
    enum lam_runtime_event_kind kind;
} happenings[] = {
    {"lamina_module_loads_total", "Loads that succeeded.", LAM_EVENT_LOADED},
    {"lamina_module_unloads_total", "Unloads.", LAM_EVENT_UNLOADED},
    {"lamina_module_reloads_total", "Reloads that succeeded.", LAM_EVENT_RELOADED},
    {"lamina_module_reload_failures_total", "Reloads that failed.", LAM_EVENT_RELOAD_FAILED},
    {"lamina_module_worker_deaths_total", "Workers that died.", LAM_EVENT_WORKER_DIED},
};

static void begin_family(struct page *page, const char *name, const char *type, const char *help)
{
    page->family = name;
    write_line(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_of_module(struct page *page, const struct lam_module *module, uint64_t value)
{
    write_line(page, "%s{", page->family);
    write_label(page, "module", module->name);
    write_line(page, "} %" PRIu64 "\n", value);
}

/* ---- what modules note themselves ---- */

/* Buckets of a histogram: below each power of two up to this one, and all. */
#define NOTED_POWERS 40

/* By enum lam_metric. */
static const struct {
    const char *name, *type, *help;
} noted[] = {
    {"lamina_module_counter_total", "counter", "Counters that modules keep."},
    {"lamina_module_gauge", "gauge", "Gauges that modules keep."},
    {"lamina_module_histogram", "histogram", "Histograms that modules keep, in their units."},
};

static void write_noted_name(
    struct page *page, const char *end, const struct lam_metric_value *value, const char *le)
{
    write_line(page, "%s%s{", page->family, end);
    write_label(page, "module", page->module);
    write_line(page, ",");
    write_label(page, "name", value->name);
    if (le != NULL)
        write_line(page, ",le=\"%s\"", le);
    write_line(page, "} ");
}

/* Each count is looked at once, so that the last bucket is the count. */
static void write_noted_histogram(struct page *page, const struct lam_metric_value *value)
{
    uint64_t count = 0;
    uint32_t bucket = 0;
    char le[32];

    for (uint32_t power = 0; power <= NOTED_POWERS; power++) {
        uint32_t end = lam_histogram_bucket(UINT64_C(1) << power);

        for (; bucket < end; bucket++) /* relaxed: each stands for itself */
            count += lam_load_relaxed(&value->histogram->counts[bucket]);
        (void)snprintf(le, sizeof(le), "%" PRIu64, (UINT64_C(1) << power) - 1);
        write_noted_name(page, "_bucket", value, le);
        write_line(page, "%" PRIu64 "\n", count);
    }
    for (; bucket < LAM_HISTOGRAM_BUCKET_COUNT; bucket++)
        count += lam_load_relaxed(&value->histogram->counts[bucket]);
    write_noted_name(page, "_bucket", value, "+Inf");
    write_line(page, "%" PRIu64 "\n", count);
    write_noted_name(page, "_sum", value, NULL);
    write_line(page, "%" PRIu64 "\n", lam_load_relaxed(&value->value));
    write_noted_name(page, "_count", value, NULL);
    write_line(page, "%" PRIu64 "\n", count);
}

static void write_noted_of(struct page *page, const struct lam_module *module, uint32_t kind)
{
    /* N2, pairs with N1 in add() of metrics.c: the entries below are complete. */
    uint32_t count = lam_load_acquire(&module->metrics.count);

    page->module = module->name;
    for (uint32_t i = 0; i < count; i++) {
        const struct lam_metric_value *value = module->metrics.values[i];

        if ((uint32_t)value->kind != kind)
            continue;
        if (value->histogram != NULL) {
            write_noted_histogram(page, value);
            continue;
        }
        write_noted_name(page, "", value, NULL);
        write_line(page, "%" PRIu64 "\n", lam_load_relaxed(&value->value)); /* relaxed: as above */
    }
}

static void write_noted(struct page *page, struct lam_runtime *runtime, uint32_t count)
{
    for (uint32_t kind = 0; kind < sizeof(noted) / sizeof(noted[0]); kind++) {
        begin_family(page, noted[kind].name, noted[kind].type, noted[kind].help);
        for (uint32_t at = 0; at < count; at++)
            write_noted_of(page, lam_runtime_handle_at(runtime, at), kind);
    }
}

static void write_modules(struct page *page, struct lam_runtime *runtime, uint32_t count)
{
    for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++) {
        begin_family(page, happenings[i].name, "counter", happenings[i].help);
        for (uint32_t at = 0; at < count; at++) {
            const struct lam_module *module = lam_runtime_handle_at(runtime, at);

            /* Relaxed: each stands for itself. */
            write_of_module(page, module, lam_load_relaxed(&module->told[happenings[i].kind]));
        }
    }
    begin_family(page, "lamina_module_calls_running", "gauge", "Calls that run now.");
    for (uint32_t at = 0; at < count; at++) {
        struct lam_module *module = lam_runtime_handle_at(runtime, at);
        struct lam_module_stat stat;

        lam_module_look(module, &stat);
        write_of_module(page, module, stat.calls);
    }
}

uint64_t lam_runtime_prometheus(struct lam_runtime *runtime, char *text, uint64_t capacity)
{
    struct page page = {.text = text, .capacity = capacity};
    uint32_t count = lam_load_acquire(&runtime->module_count); /* T2 */

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        begin_family(&page, families[i].name, families[i].type, families[i].help);
        page.field = families[i].field;
        for (uint32_t at = 0; at < count; at++) {
            struct lam_module *module = lam_runtime_handle_at(runtime, at);

            page.module = module->name;
            lam_usage_visit(module, families[i].visit, &page);
        }
    }
    write_modules(&page, runtime, count);
    write_noted(&page, runtime, count);
    return page.bytes;
}
