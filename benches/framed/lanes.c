/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority lanes over a plain channel of layer 1, in round trips and in streams: all messages in
 * the first lane that is looked at, all in the last, all three by turns, and so with a bound.
 */
#include "framed.h"
#include "layers.h"
#include "payload.h"

static const struct bench_subject *const subjects[] = {
    &bench_lanes_critical, &bench_lanes_low, &bench_lanes_mixed, &bench_lanes_bounded};
static const uint32_t payloads[] = {BENCH_EVENT_BYTES};

static int run(const struct bench_options *options)
{
    const struct framed_beside beside = {.part = "lanes",
        .field = "lanes",
        .subjects = subjects,
        .subject_count = sizeof(subjects) / sizeof(subjects[0]),
        .payloads = payloads,
        .payload_count = sizeof(payloads) / sizeof(payloads[0]),
        .streams = 1};

    return framed_run_beside(options, &beside);
}

const struct framed_part framed_lanes = {"lanes", run};
