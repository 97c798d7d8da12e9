/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips of a client and its daemon, as messages and as requests, over a plain channel's. */
#include "framed.h"
#include "layers.h"

static const struct bench_subject *const subjects[] = {&bench_daemon, &bench_daemon_request};

/* Those that memlink's figures are of. */
static const uint32_t payloads[] = {0, 64, 1024, 4096};

static int run(const struct bench_options *options)
{
    const struct framed_beside beside = {.part = "daemon",
        .field = "daemon",
        .subjects = subjects,
        .subject_count = sizeof(subjects) / sizeof(subjects[0]),
        .payloads = payloads,
        .payload_count = sizeof(payloads) / sizeof(payloads[0])};

    return framed_run_beside(options, &beside);
}

const struct framed_part framed_daemon = {"daemon", run};
