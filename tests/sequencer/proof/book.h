/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_BOOK_H
#define LAM_TESTS_SEQUENCER_PROOF_BOOK_H

/*
 * book.h: the application that the proofs run: a book of numbers, which speaks as proof/model.h
 * says.
 */

#include "lamina/sequencer/app.h"
#include "proof/model.h"

#define BOOK_EVENT_BYTES 512 /* of the largest event */
#define BOOK_NO_EVENT    8   /* what it refuses bytes with that are none */

/* For lam_app.config. */
struct book_config {
    /* Told of every event, on every copy, when it is applied. NULL: nobody is. */
    void (*told)(void *told_context, const struct lam_app_context *context, const void *op);
    void *told_context;
};

/* @config is kept. */
struct lam_app book_app(const struct book_config *config);

#endif
