/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_SCATTER_H
#define LAM_FRAMED_SRC_CALL_SCATTER_H

/*
 * scatter.h: the steps of a round, shared by the scatterer's own files alone.
 */

#include "lamina/framed/scatter.h"
#include "wire.h"

/* The request has gone to @workers, bits: their answers are waited for. */
void lam_scatter_asked(struct lam_scatter *scatter, uint64_t workers);

/* @workers do not get it, and why. */
void lam_scatter_refuse(struct lam_scatter *scatter, uint64_t workers, int rc);

/*
 * A copy for each, until the round's deadline. Answers are taken in meanwhile. @punctual: those who
 * answered the round before.
 */
void lam_scatter_send_each(struct lam_scatter *scatter, const struct call_parts *all, uint16_t kind,
    const struct lam_framed_correlation *correlation, uint64_t punctual);

/* Take the answers that are there. */
void lam_scatter_take_in(struct lam_scatter *scatter);

/* Whoever is missing gets @outcome; the round is over, and counted once. */
void lam_scatter_finish(struct lam_scatter *scatter, int32_t outcome);

#endif
