/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_MODEL_H
#define LAM_TESTS_SEQUENCER_PROOF_MODEL_H

/*
 * model.h: what the application of the proofs has to do, said once more: slowly, plainly, and with
 * no line in common with the sequencer or with proof/app.c. Here also stands what the two say to
 * each other: the bytes of an event, of a reply and of what is published.
 *
 * A book of numbers under keys. Every event has an id of its own, which no retry changes, and every
 * result the count of all events that were applied before: one event too many or too few anywhere
 * is seen in all that come after it.
 */

#include <stdint.h>

#define MODEL_KEYS         16
#define MODEL_TICKS        0 /* the key that ticks count under */
#define MODEL_STARTUPS     2
#define MODEL_STARTUP_KEY  1
#define MODEL_STARTUP_EACH 500
#define MODEL_TOO_LITTLE   7 /* what the application refuses a TAKE with */

enum model_verb {
    MODEL_ADD = 1, /* a to the value */
    MODEL_SET,     /* the value is a */
    MODEL_SWAP,    /* a for b, where it is b: is_done says so */
    MODEL_TAKE,    /* a from the value; refused where there is less */
    MODEL_GET,     /* a query */
    MODEL_VERBS
};

/* The first bytes of an event or a query; there may be any more behind them. */
struct model_op {
    uint64_t id;
    uint32_t verb, key;
    int64_t a, b;
};

/* A reply, and what every event that is applied publishes. */
struct model_result {
    uint64_t id;
    uint64_t count; /* applied events, this one among them */
    int64_t value;  /* behind it */
    uint32_t is_done;
    uint32_t refused; /* 0, or the application's code; then nothing else holds. Never on a wire */
};

_Static_assert(sizeof(struct model_op) == 32 && sizeof(struct model_result) == 32, "no holes");

struct model {
    int64_t values[MODEL_KEYS];
    uint64_t count;
};

/* As it is behind the startup events. */
void model_begin(struct model *model);

void model_tick(struct model *model);

struct model_result model_apply(struct model *model, const struct model_op *op);

struct model_result model_get(const struct model *model, const struct model_op *op);

#endif
