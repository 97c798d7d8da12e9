/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_HISTORY_H
#define LAM_TESTS_SEQUENCER_PROOF_HISTORY_H

/*
 * history.h: was all that clients were told one order, kept? Since every reply names its sequence,
 * nothing is searched for: what was told is laid beside the order that the journal has, real time
 * is checked by a running maximum, and every result by the model. Time is that of sorting.
 */

#include <stddef.h>
#include <stdint.h>

#include "proof/model.h"

enum history_end {
    HISTORY_UNKNOWN = 0, /* never answered: it may have been applied, once, or not at all */
    HISTORY_ANSWERED,
    HISTORY_REFUSED, /* by the sequencer, for good: it was never applied */
};

/* What one client asked for once, and what it was told. */
struct history_op {
    struct model_op op; /* its id: of this one alone in the whole history, not 0 */
    uint64_t asked;     /* before the first time it was sent: any clock that all clients share */
    uint64_t answered;  /* behind the first answer */
    uint64_t sequence;  /* as the answer says; 0 where the application has refused it */
    struct model_result result;
    enum history_end end;
};

enum history_kind { HISTORY_OTHER_RECORD = 0, HISTORY_EVENT, HISTORY_TICK };

/* What a journal has at one sequence. */
struct history_record {
    uint64_t sequence;
    enum history_kind kind;
    int is_applied; /* EVENT: the application was told of it; a repeat is not */
    struct model_op op;
};

/* What one subscriber was told. */
struct history_publication {
    uint64_t sequence;
    uint32_t subscriber; /* any number; those of one lie in the order in which they came */
    uint32_t index;
    struct model_result result;
};

struct history {
    struct history_op *ops; /* any order; sorted by the check */
    size_t op_count;
    const struct history_record *records; /* from the first of the journal to its end */
    size_t record_count;
    const struct history_publication *publications;
    size_t publication_count;
};

enum history_rule {
    HISTORY_GOOD = 0,
    HISTORY_GAP,         /* sequences do not count up by one */
    HISTORY_STRANGE,     /* applied, and nobody has asked for it */
    HISTORY_DOUBLE,      /* applied twice */
    HISTORY_LOST,        /* acknowledged, and not in the order */
    HISTORY_OTHER,       /* answered with what belongs to another request */
    HISTORY_WRONG,       /* another result than the model's */
    HISTORY_STALE,       /* a query was answered from an earlier state than it had to */
    HISTORY_ORDER,       /* answered before another was asked, and ordered behind it */
    HISTORY_WAS_APPLIED, /* refused, and applied all the same */
    HISTORY_PUBLISHED,   /* a subscriber was told wrongly, twice, or not of everything */
    HISTORY_RULES
};

/* The first rule that is broken, with the request and the place. */
struct history_verdict {
    enum history_rule rule;
    uint64_t id, sequence;
};

/* Returns 1 where all is good, or 0. */
int history_check(const struct history *history, struct history_verdict *verdict);

/* For messages: "applied twice". Never NULL. */
const char *history_rule_text(enum history_rule rule);

#endif
