/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_LATER_H
#define LAM_RUNTIME_LATER_H

/*
 * later.h: calls whose answer comes after their entry has returned, from any thread.
 *
 * The caller waits, and leaves at its deadline; the module answers, then or never. Neither waits
 * for the other to be gone: what they share belongs to both, and the last one lets go of it.
 */

#include <errno.h>

#include "internal.h"

/* As lam_host.later and lam_host.answer of abi.h. */
struct lam_later *lam_later_take(struct lam_call *call);
int lam_later_answer_by(struct lam_later *later, int status, const void *data, uint64_t bytes);

/*
 * The entry of @frame has returned @status: if the answer is to come, wait for it until the call's
 * deadline; if it took a place for it and gives none, nobody waits there.
 *
 * Returns what the call returns, with frame->call.reply_bytes set, and *@failure.
 */
int lam_later_settle(struct lam_frame *frame, int status, uint32_t *failure);

/* The same, and all that a host in this process makes of it. Returns as lam_module_call(). */
static inline int lam_entry_settle(
    struct lam_frame *frame, struct lam_module_reply *reply, int status)
{
    if (__builtin_expect(status == LAM_LATER || frame->later != NULL, 0))
        status = lam_later_settle(frame, status, &reply->failure);
    reply->bytes = status == 0 || status == -ENOSPC ? frame->call.reply_bytes : 0;
    if (__builtin_expect(status == 0 && reply->bytes > reply->capacity, 0)) {
        reply->bytes = 0;
        reply->failure = LAM_FAILURE_BAD_REPLY;
        return -EPROTO;
    }
    return status;
}

#endif
