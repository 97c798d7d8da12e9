/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SEQUENCER_MACHINE_RECORDS_H
#define TEST_SEQUENCER_MACHINE_RECORDS_H

/*
 * machine_records.h: a journal of the application of machine_app.h, made of a seed: sessions come
 * and go, requests are repeated, skipped, early, late and too large; ticks, digests, epochs.
 */

#include "machine_app.h"

#define RECORDS_SESSIONS 6 /* that it remembers: more than are ever open */

struct records {
    uint64_t random;
    uint64_t next, time_ns, epoch, digest;
    uint64_t ids[RECORDS_SESSIONS], floors[RECORDS_SESSIONS];
    uint64_t opened;
    uint64_t data[16]; /* of the last record */
};

void records_init(struct records *records, uint64_t seed);

/* The next record, lent until the next call. A RECORD_COMPARE has no digest yet. */
void records_next(struct records *records, struct machine_record *record);

/* A number below @below. */
uint64_t records_random(struct records *records, uint64_t below);

#endif
