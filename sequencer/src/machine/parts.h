/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_PARTS_H
#define LAM_SEQUENCER_PARTS_H

/*
 * parts.h: a machine, for the sources that make it up.
 */

#include "machine/output.h"
#include "machine/sessions.h"

struct machine {
    struct machine_config config;
    void *state; /* the application's */
    uint64_t next, time_ns, epoch;
    uint32_t started;
    int broken; /* what machine_apply or machine_load has failed with, for good */
    struct sessions sessions;

    uint64_t kept_sequence; /* of the digest that waits for RECORD_COMPARE; 0: none */
    uint8_t kept_digest[BLAKE3_BYTES];

    /* What came of the last call; what was published is in @output. */
    struct lam_app_output output;
    struct machine_item items[2];
    uint32_t item_count;
    uint64_t item_sequence;
    struct record_open opened;
};

/* Forget what came of the last call. */
void machine_begin(struct machine *machine, uint64_t sequence, enum output_mode mode);

void machine_add_item(struct machine *machine, const struct machine_item *item);

/* RECORD_APP. As machine_apply. */
int machine_apply_request(struct machine *machine, const struct machine_record *record);

#endif
