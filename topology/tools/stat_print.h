/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_TOOLS_STAT_PRINT_H
#define LAM_TOPOLOGY_TOOLS_STAT_PRINT_H

/* stat_print.h: a sample of a topology as a table, or as one JSON object on one line. */

#include "lamina/topology/observe.h"

/* @now and @before: all rings, in the observer's order. Rates are from one to the other. */
void stat_print_text(const struct lam_observer *observer, const struct lam_observed_ring *now,
    const struct lam_observed_ring *before);
void stat_print_json(const struct lam_observer *observer, const struct lam_observed_ring *now,
    const struct lam_observed_ring *before);

#endif
