/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips of requests and replies, and of one request to four workers with its four answers,
 * over a plain channel's round trip. The four workers take turns on one CPU.
 */
#include "framed.h"
#include "layers.h"

static const struct bench_subject *const subjects[] = {&bench_call, &bench_scatter};
static const uint32_t payloads[] = {0, 48, 1024, 4096};

static int run(const struct bench_options *options)
{
    const struct framed_beside beside = {.part = "call",
        .field = "call",
        .subjects = subjects,
        .subject_count = sizeof(subjects) / sizeof(subjects[0]),
        .payloads = payloads,
        .payload_count = sizeof(payloads) / sizeof(payloads[0])};

    return framed_run_beside(options, &beside);
}

const struct framed_part framed_calls = {"call", run};
