/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_OWNER_H
#define LAM_ENDPOINT_OWNER_H

/*
 * owner.h: whose a client or a daemon is. A forked child has copies of its parent's, which are not
 * its own: it may give their memory back, and do nothing else with them.
 */

#include <stdint.h>

/* Never 0; in a forked child another one than in its parent. */
extern uint32_t lam_endpoint_process;

/* For all calls but the last: nobody else's, and not given back. Control plane and hot path. */
#define LAM_ASSERT_CONNECTED(client)                                                               \
    LAM_ASSERT(                                                                                    \
        (client)->owner == lam_endpoint_process && "a client that is connected, and no parent's")
#define LAM_ASSERT_CREATED(daemon)                                                                 \
    LAM_ASSERT(                                                                                    \
        (daemon)->owner == lam_endpoint_process && "a daemon that was created, and no parent's")

#endif
