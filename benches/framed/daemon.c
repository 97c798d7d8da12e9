/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips of a client and its daemon, as messages and as requests, over a plain channel's. */
#include "framed.h"
#include "layers.h"
#include "report.h"
#include "runs.h"

static const struct bench_subject *const subjects[] = {&bench_daemon, &bench_daemon_request};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

/* Those that memlink's figures are of. */
static const uint32_t payloads[] = {0, 64, 1024, 4096};

static int run_size(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    uint32_t plain, daemons[SUBJECT_COUNT];
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    framed_begin(&campaign, &bench_measure_handoff, options);
    plain = bench_campaign_add(&campaign, &bench_framed, &shape);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        daemons[i] = bench_campaign_add(&campaign, subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++) {
        bench_report_begin("framed", "daemon-trip", &campaign.lanes[daemons[i]]);
        bench_report_text("daemon", subjects[i]->name);
        framed_report_trip(&campaign, daemons[i], plain);
        bench_report_end(&campaign, daemons[i], plain);
    }
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        if (framed_wants(options, payloads[i]) && run_size(options, payloads[i]) != 0)
            return 1;
    return 0;
}

const struct framed_part framed_daemon = {"daemon", run};
