/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_GRAMMAR_H
#define LAM_TOPOLOGY_GRAMMAR_H

/* grammar.h: words of a topology's file, in the order of the enums that they stand for. */

#include "lamina/config/config.h"

extern const char *const grammar_policies[];   /* enum lam_plan_policy */
extern const char *const grammar_directions[]; /* enum lam_topology_direction */
extern const char *const grammar_waits[];      /* enum lam_wait_mode */

#endif
