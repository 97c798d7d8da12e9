/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a thread that calls a module all the time has to wait for its next answer while the
 * module is replaced: the longest gap between two answers during a reload, over the median gap of
 * 1,000 calls in peace. Two things stand beside it: the longest gap of as long a time in peace, of
 * which the ratio is made where the machine has anything else to do; and the longest gap while
 * another thread unmaps one page, for which the kernel interrupts all threads of the process. The
 * loader does so several times.
 */
#include "module.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "layers.h"
#include "report.h"
#include "stats.h"

#define PAYLOAD_BYTES 64
#define GAPS          1000
#define CALM_NS       300000 /* about a reload */
#define NAP_NS        20000

enum phase { PHASE_BEFORE, PHASE_WATCH, PHASE_END };

struct caller {
    struct module_elsewhere elsewhere; /* first: the lane's state */
    struct module_caller calls;
    pthread_t thread;
    lam_atomic_u32 phase; /* enum phase */
    lam_atomic_u32 seen;  /* of the phase, by the thread */
    double gaps_ns[GAPS]; /* the last before the watch */
    uint64_t longest_ns;  /* during the watch */
};

static int open_caller(struct bench_lane *lane)
{
    struct caller *caller = bench_private_memory(sizeof(*caller));

    lane->state = caller;
    return module_elsewhere_open(&caller->elsewhere);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct caller *caller = lane->state;

    if (side == 0)
        module_caller_open(&caller->calls, "echo", lane->shape.payload_bytes);
    return 0;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct caller *caller = lane->state;

    if (side == 0)
        module_caller_close(&caller->calls);
    module_elsewhere_close(&caller->elsewhere);
}

/* Calls until told to end, and notes the time between each answer and the next. */
static void *call(void *argument)
{
    struct caller *caller = argument;
    uint64_t last_ns, now_ns, count = 0;
    uint32_t phase;

    last_ns = bench_now_ns();
    do {
        phase = lam_load_acquire(&caller->phase);
        /* Said after many calls: the first ones are slow. */
        if (phase != PHASE_BEFORE || count == 4 * GAPS)
            lam_store_release(&caller->seen, phase + 1);
        module_caller_run(&caller->calls, 1);
        now_ns = bench_now_ns();
        if (phase == PHASE_BEFORE)
            caller->gaps_ns[count++ % GAPS] = (double)(now_ns - last_ns);
        else if (now_ns - last_ns > caller->longest_ns)
            caller->longest_ns = now_ns - last_ns;
        last_ns = now_ns;
    } while (phase != PHASE_END);
    module_caller_check(&caller->calls);
    return NULL;
}

/* Asleep: who spins for long is put off, and the window with it. */
static void wait_for(struct caller *caller, enum phase phase)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};

    while (lam_load_acquire(&caller->seen) <= phase)
        (void)nanosleep(&nap, NULL);
}

static uint64_t be_calm(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    uint64_t started_ns = bench_now_ns();
    uint32_t looks = 0;

    while (bench_now_ns() - started_ns < CALM_NS)
        bench_pause(&looks);
    return bench_now_ns() - started_ns;
}

static uint64_t reload(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    const struct caller *caller = lane->state;
    struct lam_error error = {""};
    uint64_t started_ns = bench_now_ns();

    bench_must(bench_said(lam_runtime_reload(caller->calls.module, NULL, &error), &error));
    return bench_now_ns() - started_ns;
}

static uint64_t unmap_page(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t started_ns = bench_now_ns();
    char *page = mmap(
        NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    bench_must(page == MAP_FAILED ? -errno : 0);
    bench_must(munmap(page, bytes) != 0 ? -errno : 0);
    return bench_now_ns() - started_ns;
}

static const struct bench_subject reloaded = {.name = "reload",
    .layer = MODULE_LAYER,
    .open = open_caller,
    .attach = attach,
    .detach = detach,
    .ask = reload,
    .answer = module_elsewhere_answer};
static const struct bench_subject interrupt = {.name = "interrupt",
    .layer = -1,
    .open = open_caller,
    .attach = attach,
    .detach = detach,
    .ask = unmap_page,
    .answer = module_elsewhere_answer};
static const struct bench_subject calm = {.name = "calm",
    .layer = -1,
    .open = open_caller,
    .attach = attach,
    .detach = detach,
    .ask = be_calm,
    .answer = module_elsewhere_answer};

/*
 * Reading 0: ns of the longest gap. Reading 1: ns of the reload, or of what else was done.
 * In peace. Reading 0: ns of the median gap. Reading 1: ns of the longest.
 */

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    plan->single_count = 1;
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    struct caller *caller = lane->state;
    uint64_t took_ns;

    caller->longest_ns = 0;
    lam_store_relaxed(&caller->phase, PHASE_BEFORE);
    lam_store_relaxed(&caller->seen, 0);
    module_elsewhere_begin(crew, lane_index);
    module_elsewhere_start(&caller->thread, crew->cpus[1], call, caller);
    wait_for(caller, PHASE_BEFORE);
    lam_store_release(&caller->phase, PHASE_WATCH);
    wait_for(caller, PHASE_WATCH);
    took_ns = lane->subject->ask(lane, 1, 0);
    lam_store_release(&caller->phase, PHASE_END);
    (void)pthread_join(caller->thread, NULL);
    module_elsewhere_end(crew, lane_index);
    readings[0] = (double)caller->longest_ns;
    readings[1] = (double)took_ns;
    if (lane->subject == &calm) {
        readings[0] = bench_quantile(caller->gaps_ns, GAPS, 0.5);
        readings[1] = (double)caller->longest_ns;
    }
}

static const struct bench_measure measure = {plan, run_window, 1};

static void report(
    const struct bench_campaign *campaign, uint32_t lane, uint32_t probe, uint32_t beside)
{
    bench_report_begin("module", "reload", &campaign->lanes[lane]);
    bench_report_number("longest_ns", bench_campaign_median(campaign, lane, 0), 0);
    bench_report_number("reload_ns", bench_campaign_median(campaign, lane, 1), 0);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 1);
    bench_report_number("calm_longest_ns", bench_campaign_median(campaign, probe, 1), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_number("interrupt_ns", bench_campaign_median(campaign, beside, 0), 0);
    bench_report_ratio("ratio_interrupt", bench_campaign_ratio(campaign, lane, beside));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    struct bench_shape shape = {.payload_bytes = PAYLOAD_BYTES, .batch = 1, .readers = 1};
    uint32_t lane, probe, beside;

    module_begin(&campaign, &measure, options);
    probe = bench_campaign_add(&campaign, &calm, &shape);
    lane = bench_campaign_add(&campaign, &reloaded, &shape);
    beside = bench_campaign_add(&campaign, &interrupt, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report(&campaign, lane, probe, beside);
    return 0;
}

const struct module_part module_reload = {"reload", run};
