/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"
#include "lamina/base/assert.h"

#include <pthread.h>

uint32_t lam_endpoint_process = 1;

static void be_another(void)
{
    lam_endpoint_process += lam_endpoint_process == UINT32_MAX ? 2 : 1;
}

/* Before main: a fork that began before its handler was there would not run it. */
__attribute__((constructor)) static void register_fork_handler(void)
{
    int rc = pthread_atfork(NULL, NULL, be_another);

    LAM_ASSERT(rc == 0); /* only memory can lack, at start-up */
}
