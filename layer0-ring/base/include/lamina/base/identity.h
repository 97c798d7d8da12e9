/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_IDENTITY_H
#define LAM_BASE_IDENTITY_H

/*
 * lamina/base/identity.h: which process this is, so that messages and tools can name a peer.
 *
 * Base, floor 0. A pid alone is used again; with its start time and the boot it is not. Identities
 * are written into shared memory for people to read. They are no proof of death: locks are
 * (lamina/base/lock.h).
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lam_identity {
    uint64_t boot;        /* the first 8 bytes of the kernel's boot id */
    uint64_t start_ticks; /* start of the process, clock ticks after boot; 0 unknown */
    uint32_t pid;         /* in its own PID namespace */
    uint32_t pid_space;   /* inode of that namespace, low 32 bits; 0 unknown */
};

/* The identity of the calling process. Reads /proc: control plane only. Any thread. */
struct lam_identity lam_identity_self(void);

/*
 * The identity of process @pid of this PID namespace, as it is now; start_ticks is 0 where there is
 * none, or /proc does not show it. Control plane only. Any thread.
 */
struct lam_identity lam_identity_of(uint32_t pid);

#ifdef __cplusplus
}
#endif

#endif
