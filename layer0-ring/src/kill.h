/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_KILL_H
#define LAM_RING_KILL_H

/*
 * kill.h: killing a peer because a policy says so. Ring, layer 0, private.
 */

#include "lamina/base/identity.h"
#include "lamina/ring/ring.h"

/*
 * Send SIGKILL, through a pidfd, to the process that has this identity and maps this ring. What
 * stands in the table may be a lie: nobody who does not map the ring is ever killed, nor is this
 * process. It is dead when its lock says so, not when this returns.
 *
 * Any thread. Returns 0, or
 *   -ESRCH   there is no such process: it is gone, or its number is another's by now
 *   -EXDEV   it lives in another PID namespace: its number means nothing here
 *   -EPERM   it is this process, does not map the ring, or is not ours to kill
 *   -ENOSYS  this kernel has no pidfds
 */
int lam_ring_kill(const struct lam_ring *ring, const struct lam_identity *identity);

#endif
