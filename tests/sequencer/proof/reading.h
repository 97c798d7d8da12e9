/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_READING_H
#define LAM_TESTS_SEQUENCER_PROOF_READING_H

/*
 * reading.h: a journal read from its first record to its last, each of them applied by a machine
 * that has seen nothing else: what a node answered has to follow from this. The machine compares
 * its digests with those that the live one has left in the journal.
 */

#include "journal/journal.h"
#include "machine/machine.h"
#include "proof/book.h"
#include "proof/history.h"

struct reading {
    struct history_record *records;
    size_t count, capacity;
    uint64_t repeats; /* events that the machine has not applied once more */
    uint64_t epochs, digests;
    uint8_t digest[BLAKE3_BYTES]; /* at the end */
    struct lam_error error;
    /* For the reading alone. */
    struct machine *machine;
    const void *told;
    int failed;
};

/*
 * @config: of the journal, its env with nobody else at it. @machine_config: as the node's; its
 * application is replaced by the book. Returns 0, or negative errno with reading->error. What was
 * read is freed by reading_end in either case.
 */
int reading_begin(struct reading *reading, const struct journal_config *config,
    const struct machine_config *machine_config);

void reading_end(struct reading *reading);

#endif
