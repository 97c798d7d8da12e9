/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_CALLER_H
#define LAM_FRAMED_SRC_CALL_CALLER_H

/*
 * caller.h: what a caller's own files share.
 */

#include "lamina/framed/caller.h"
#include "lamina/ring/stat.h"

/*
 * Whoever answers now may be another than before: what waits was asked of that one. The first to
 * come took nobody's place.
 */
static inline void caller_look_who_answers(struct lam_caller *caller)
{
    uint64_t epoch = lam_ring_epoch(caller->receiver->consumer.ring);

    if (epoch == caller->epoch)
        return;
    if (caller->epoch != 0)
        lam_call_table_divide(&caller->table);
    caller->epoch = epoch;
}

#endif
