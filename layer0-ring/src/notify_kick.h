/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_NOTIFY_KICK_H
#define LAM_RING_NOTIFY_KICK_H

/*
 * How a notifier's thread is called from its sleep: by the notifier's own calls (notify.c), and by
 * consumers that arm while it is idle (watch.c).
 */

#include "lamina/base/ops.h"
#include "lamina/ring/notify.h"

static inline void lam_ring_notifier_kick(struct lam_ring_notifier *notifier)
{
    (void)lam_add_acq_rel(&notifier->kick, 1); /* R27 */
    (void)lam_base->futex_wake_all(&notifier->kick);
}

#endif
