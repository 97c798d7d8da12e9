/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_OUTPUT_H
#define LAM_SEQUENCER_OUTPUT_H

/*
 * output.h: what an application answers and publishes while it looks at one event or query.
 */

#include <stdint.h>

#include "machine/machine.h"

enum output_mode {
    OUTPUT_CLIENT, /* an event of a client */
    OUTPUT_QUERY,
    OUTPUT_NOBODY, /* a tick, a startup event */
};

struct lam_app_output {
    enum output_mode mode;
    uint32_t reply_count, reply_max;
    uint32_t published_count, publish_max; /* bytes, an empty piece counting as one */
    uint32_t published_bytes;
    uint32_t pieces, pieces_capacity; /* that were published */
    uint32_t refusal_count;           /* bytes of @refusal; 0: it is not refused */
    int error;                        /* a piece could not be kept: -ENOMEM */
    uint8_t *reply;
    uint8_t *published;
    uint32_t *ends; /* of each piece in @published */
    uint8_t refusal[REFUSAL_BYTES_MAX];
};

/* Returns 0, or -ENOMEM. Either way output_destroy is due, once. */
int output_create(struct lam_app_output *output, const struct lam_app *app);

void output_destroy(struct lam_app_output *output);

/* Forget all, for the next event. */
void output_begin(struct lam_app_output *output, enum output_mode mode);

/* Refuse with a code of the sequencer's or, REFUSED_APP added, of the application's. */
void output_refuse(struct lam_app_output *output, uint32_t code, const char *text);

#endif
