/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What extensions on every message cost, in round trips and in streams, over layer 1 without: 32
 * bytes, where one extension fits the line of the message, 48, where it takes a second one, and
 * 4 KiB, where a CRC32C is what is paid for.
 */
#include "framed.h"
#include "layers.h"

static const struct bench_subject *const subjects[] = {
    &bench_framed_correlation, &bench_framed_timestamp, &bench_framed_crc32c, &bench_framed_all};
static const uint32_t payloads[] = {32, 48, 4096};

static int run(const struct bench_options *options)
{
    const struct framed_beside beside = {.part = "price",
        .field = "options",
        .subjects = subjects,
        .subject_count = sizeof(subjects) / sizeof(subjects[0]),
        .payloads = payloads,
        .payload_count = sizeof(payloads) / sizeof(payloads[0]),
        .streams = 1,
        .clock = 1};

    return framed_run_beside(options, &beside);
}

const struct framed_part framed_prices = {"price", run};
