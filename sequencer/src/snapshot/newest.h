/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SNAPSHOT_NEWEST_H
#define LAM_SEQUENCER_SNAPSHOT_NEWEST_H

/* newest.h: snapshots by their names, from the newest to the oldest. */

#include "journal/listing.h"

/* The newest of @journal below @below. Returns 1, or 0: there is none. */
int snapshot_newest(
    const struct listing *listing, uint64_t journal, uint64_t below, uint64_t *next_sequence);

#endif
