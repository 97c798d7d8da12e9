/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_POLL_H
#define LAM_BASE_POLL_H

/*
 * lamina/base/poll.h: waiting for a descriptor, to a deadline as all others are.
 *
 * Base, floor 0.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Wait until @fd is ready for @events (POLLIN, POLLOUT), its peer is gone or it is in error, or to
 * @deadline_ns (LAM_DEADLINE_NEVER: for ever). Signals that are handled meanwhile end nothing. Any
 * thread; blocks.
 *
 * Returns 0, or
 *   -ETIMEDOUT it was not ready
 *   -errno     of ppoll
 */
int lam_poll_until(int fd, short events, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
