/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_FRAMED_H
#define LAM_BENCH_FRAMED_H

/*
 * framed.h: the parts of the bench of layer 1, one a file: what is measured beside what.
 *
 * A part brings its subjects (layer1-framed/), a row of the table in bench_framed.c, and the fields
 * of its lines in tests/benches and benches/README.md. Its lines are called framed-NAME.
 */

#include "campaign.h"
#include "options.h"

struct framed_part {
    const char *name; /* chosen by --part */
    /* All its lines. Returns 0, or 1 after a line on standard error. */
    int (*run)(const struct bench_options *options);
};

extern const struct framed_part framed_trips;
extern const struct framed_part framed_streams;
extern const struct framed_part framed_frames;
extern const struct framed_part framed_broadcast;
extern const struct framed_part framed_prices;
extern const struct framed_part framed_lanes;
extern const struct framed_part framed_daemon;
extern const struct framed_part framed_calls;

/* Every payload that is measured, from nothing to the largest. */
extern const uint32_t framed_payloads[];
extern const uint32_t framed_payload_count;

/* Whether @options ask for @payload_bytes. */
int framed_wants(const struct bench_options *options, uint32_t payload_bytes);

/*
 * A campaign over messages of @payload_bytes, whose rings hold three of them: with short budgets,
 * since there are many of them.
 */
void framed_begin(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options);

/* Subjects, each beside a plain channel in the same windows: round trips and, if asked, streams. */
struct framed_beside {
    const char *part;  /* its lines are PART-trip and PART-stream */
    const char *field; /* of the line: which subject it is */
    const struct bench_subject *const *subjects;
    uint32_t subject_count; /* FRAMED_BESIDE_MAX at most */
    const uint32_t *payloads;
    uint32_t payload_count;
    int streams; /* 1: streams, too */
    int clock;   /* 1: what one look at the clock costs stands in each line as clock_ns */
};

#define FRAMED_BESIDE_MAX 4

/* All lines of @beside. Returns as framed_part.run. */
int framed_run_beside(const struct bench_options *options, const struct framed_beside *beside);

/*
 * Reports figure, probe and ratio: reading 0 of the lane and of its probe, under the names of the
 * unit: "p50_ns" and "probe_ns", or "msgs_per_s" and "probe_per_s".
 */
void framed_report_trip(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index);
void framed_report_stream(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index);

#endif
