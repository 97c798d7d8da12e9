/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_LOCK_H
#define LAM_BASE_LOCK_H

/*
 * lamina/base/lock.h: a lock that the kernel drops when its owner dies.
 *
 * Base, floor 0. One byte of an object is one lock. It is an open-file-description lock on a
 * description that nothing else uses: it survives other closes in the process, is not inherited by
 * exec, is closed in forked children, and is dropped by the kernel at the owner's death, whatever
 * the PID namespace. A free lock is therefore proof that the owner is gone.
 *
 * Bytes may lie beyond the end of the object: a lock needs no storage.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lam_lock {
    /* Fields are private. The struct may not move while held: it is linked. */
    int fd;
    uint64_t byte;
    struct lam_lock *next;
    struct lam_lock *previous;
};

/*
 * Take the lock on @byte of the object behind @object_fd, without waiting. @lock is the caller's
 * memory, kept until lam_lock_drop().
 *
 * Any thread. Returns 0, or
 *   -EBUSY   another end holds it
 *   -ENOTSUP the object cannot be opened anew (no /proc, or the descriptor is not the object's)
 *   -errno   of open or fcntl otherwise
 */
int lam_lock_take(struct lam_lock *lock, int object_fd, uint64_t byte);

/* Give the lock back. Nothing happens when it is not held. Any thread. */
void lam_lock_drop(struct lam_lock *lock);

/* Whether this process holds @lock: not after a fork, in the child. */
static inline int lam_lock_is_held(const struct lam_lock *lock)
{
    return lock->fd >= 0;
}

#ifdef __cplusplus
}
#endif

#endif
