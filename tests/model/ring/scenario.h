/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_RING_SCENARIO_H
#define TEST_MODEL_RING_SCENARIO_H

#include "world.h"

/* An order that a scenario must need: without it, it has to fail. */
struct weakening {
    const char *function;
    const char *operation; /* of atomic.h */
};

struct scenario {
    struct model_program program;
    uint32_t deviations;    /* the bound of the search of all schedules, as model.h has it */
    uint64_t schedules_max; /* its budget; 0: all of them, always */
    uint32_t marks;         /* marks 0 to @marks - 1 must be reached */
    struct weakening kills[6];
};

/* Each file of scenarios has a table that ends without a name. */
extern const struct scenario scenarios_publish[];
extern const struct scenario scenarios_room[];
extern const struct scenario scenarios_lossy[];
extern const struct scenario scenarios_sleep[];
extern const struct scenario scenarios_join[];
extern const struct scenario scenarios_death[];
extern const struct scenario scenarios_required[];
extern const struct scenario scenarios_many[];
extern const struct scenario scenarios_repair[];
extern const struct scenario scenarios_after[];
extern const struct scenario scenarios_group[];

/* What a word of the ring is called in a trace. */
void world_describe(const void *at, char text[64]);

#endif
