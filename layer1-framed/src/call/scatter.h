/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_SCATTER_H
#define LAM_FRAMED_SRC_CALL_SCATTER_H

/*
 * scatter.h: the end of a round, shared by the scatterer's own files alone.
 */

#include "lamina/framed/scatter.h"

/* Whoever is missing gets @outcome; the round is over, and counted once. */
void lam_scatter_finish(struct lam_scatter *scatter, int32_t outcome);

#endif
