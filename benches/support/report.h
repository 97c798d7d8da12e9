/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_REPORT_H
#define LAM_BENCH_REPORT_H

/*
 * report.h: one result as one JSON object on one line of standard output.
 */

#include <stdint.h>

#include "campaign.h"

/* Opens the object: {"bench":NAME or NAME-VARIANT, "layer":..., "payload_bytes":... */
void bench_report_begin(const char *bench, const char *variant, const struct bench_lane *lane);

void bench_report_text(const char *key, const char *value);
void bench_report_count(const char *key, uint64_t value);

/* With @digits behind the point. */
void bench_report_number(const char *key, double value, int digits);

/* A quotient: three digits, more of them where it is small. */
void bench_report_ratio(const char *key, double value);

/*
 * How it was measured: rounds that count, the spread of the ratio, what was left out, and the
 * geometry that subject and probe share. Then closes the object.
 */
void bench_report_end(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index);

#endif
