/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To load a module and to unload it, against the loader alone: of a copy in memory made anew, which
 * is what it takes to have two codes of one path, and of the path itself. And how much memory a
 * loaded module has.
 */
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "clock.h"
#include "layers.h"
#include "report.h"
#include "stats.h"

#define TRIES         3  /* a window */
#define RESIDENT_MANY 64 /* modules whose memory is measured */
#define COPY_MAX      (1U << 30)

/* A subject loads once in ask(), and unloads in answer(); each returns how long it took. */

struct loaded {
    struct lam_runtime *runtime;
    struct lam_module *module;
    void *handle;
    int fd;
};

static int open_nothing(struct bench_lane *lane)
{
    lane->state = bench_private_memory(sizeof(struct loaded));
    return 0;
}

static int attach_runtime(struct bench_lane *lane, uint32_t side)
{
    struct loaded *loaded = lane->state;
    struct lam_error error = {""};

    if (side != 0)
        return 0;
    return bench_said(lam_runtime_create(&loaded->runtime, NULL, &error), &error);
}

static void detach_runtime(struct bench_lane *lane, uint32_t side)
{
    struct loaded *loaded = lane->state;

    if (side == 0)
        lam_runtime_destroy(loaded->runtime);
}

static uint64_t load(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct loaded *loaded = lane->state;
    struct lam_error error = {""};
    uint64_t started_ns = bench_now_ns();
    int rc = lam_runtime_load(loaded->runtime, BENCH_MODULE_FILE, NULL, &loaded->module, &error);

    bench_must(bench_said(rc, &error));
    return bench_now_ns() - started_ns;
}

static uint64_t unload(struct bench_lane *lane, uint64_t count)
{
    struct loaded *loaded = lane->state;
    struct lam_error error = {""};
    uint64_t started_ns = bench_now_ns();

    bench_must(bench_said(lam_runtime_unload(loaded->module, UINT64_MAX, &error), &error));
    return bench_now_ns() - started_ns;
}

static void open_symbol(struct loaded *loaded, const char *path)
{
    loaded->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    bench_must(
        loaded->handle == NULL || dlsym(loaded->handle, LAM_ABI_SYMBOL) == NULL ? -ENOEXEC : 0);
}

static uint64_t open_path(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    uint64_t started_ns = bench_now_ns();

    open_symbol(lane->state, BENCH_MODULE_FILE);
    return bench_now_ns() - started_ns;
}

static uint64_t close_path(struct bench_lane *lane, uint64_t count)
{
    struct loaded *loaded = lane->state;
    uint64_t started_ns = bench_now_ns();

    bench_must(dlclose(loaded->handle) != 0 ? -EINVAL : 0);
    return bench_now_ns() - started_ns;
}

static uint64_t open_copy(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct loaded *loaded = lane->state;
    uint64_t started_ns = bench_now_ns();
    int from = open(BENCH_MODULE_FILE, O_RDONLY | O_CLOEXEC);
    char name[40];

    loaded->fd = memfd_create("bench-module", MFD_CLOEXEC);
    bench_must(from < 0 || loaded->fd < 0 ? -errno : 0);
    while (sendfile(loaded->fd, from, NULL, COPY_MAX) > 0)
        ;
    close(from);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", loaded->fd);
    open_symbol(loaded, name);
    return bench_now_ns() - started_ns;
}

static uint64_t close_copy(struct bench_lane *lane, uint64_t count)
{
    struct loaded *loaded = lane->state;
    uint64_t started_ns = bench_now_ns();

    bench_must(dlclose(loaded->handle) != 0 ? -EINVAL : 0);
    close(loaded->fd);
    return bench_now_ns() - started_ns;
}

static const struct bench_subject runtime_load = {.name = "runtime_load",
    .layer = MODULE_LAYER,
    .open = open_nothing,
    .attach = attach_runtime,
    .detach = detach_runtime,
    .ask = load,
    .answer = unload};
static const struct bench_subject dlopen_copy = {.name = "dlopen_copy",
    .layer = -1,
    .open = open_nothing,
    .ask = open_copy,
    .answer = close_copy};
static const struct bench_subject dlopen_path = {.name = "dlopen_path",
    .layer = -1,
    .open = open_nothing,
    .ask = open_path,
    .answer = close_path};

/* Reading 0: ns to load and unload. Reading 1: of these, to unload. */

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan->single_count = TRIES;
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    double both[TRIES], unloads[TRIES];

    for (uint64_t i = 0; i < TRIES; i++) {
        both[i] = (double)lane->subject->ask(lane, 1, 0);
        unloads[i] = (double)lane->subject->answer(lane, 1);
        both[i] += unloads[i];
    }
    readings[0] = bench_quantile(both, TRIES, 0);
    readings[1] = bench_quantile(unloads, TRIES, 0);
}

static const struct bench_measure measure = {plan, run_window, 1};

static double resident_bytes(void)
{
    unsigned long all, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    int found = file == NULL ? 0 : fscanf(file, "%lu %lu", &all, &resident);

    bench_must(found == 2 ? 0 : -ENOENT);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* What one more of RESIDENT_MANY loaded modules adds to the resident memory, called once. */
static double measure_resident(void)
{
    struct lam_runtime *runtime;
    struct lam_error error = {""};
    double before;

    bench_must(bench_said(lam_runtime_create(&runtime, NULL, &error), &error));
    before = resident_bytes();
    for (uint32_t i = 0; i < RESIDENT_MANY; i++) {
        char name[LAM_NAME_BYTES_MAX];
        struct lam_module_options options = {.name = name};
        struct lam_module_reply reply = {.data = NULL};
        struct lam_module *module;

        snprintf(name, sizeof(name), "echo-%u", i);
        bench_must(bench_said(
            lam_runtime_load(runtime, BENCH_MODULE_FILE, &options, &module, &error), &error));
        bench_must(
            lam_module_call(module, LAM_METHOD_ID("echo"), NULL, 0, &reply, LAM_DEADLINE_NEVER));
    }
    before = (resident_bytes() - before) / RESIDENT_MANY;
    lam_runtime_destroy(runtime);
    return before;
}

static void report(const struct bench_campaign *campaign, uint32_t lane, const uint32_t *probes)
{
    double both_ns = bench_campaign_median(campaign, lane, 0);
    double unload_ns = bench_campaign_median(campaign, lane, 1);

    bench_report_begin("module", "load", &campaign->lanes[lane]);
    bench_report_number("both_ns", both_ns, 0);
    bench_report_number("unload_ns", unload_ns, 0);
    bench_report_text("probe", campaign->lanes[probes[0]].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probes[0], 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probes[0]));
    bench_report_number("path_ns", bench_campaign_median(campaign, probes[1], 0), 0);
    bench_report_ratio("ratio_path", bench_campaign_ratio(campaign, lane, probes[1]));
    bench_report_number("resident_bytes", measure_resident(), 0);
    bench_report_end(campaign, lane, probes[0]);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    struct bench_shape shape = {.batch = 1, .readers = 1};
    uint32_t lane, probes[2];

    module_begin(&campaign, &measure, options);
    lane = bench_campaign_add(&campaign, &runtime_load, &shape);
    probes[0] = bench_campaign_add(&campaign, &dlopen_copy, &shape);
    probes[1] = bench_campaign_add(&campaign, &dlopen_path, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report(&campaign, lane, probes);
    return 0;
}

const struct module_part module_loads = {"load", run};
