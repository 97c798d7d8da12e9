/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/barrier.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

lam_atomic_u32 lam_barrier_fences = 1;

static int membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

static void register_process(void)
{
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
        lam_store_relaxed(&lam_barrier_fences, 0); /* pthread_once() publishes it */
}

void lam_barrier_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, register_process);
}

void lam_barrier_heavy(void)
{
    lam_fence_seq_cst();
    /* Relaxed: as in lam_barrier_light(). */
    if (lam_load_relaxed(&lam_barrier_fences) != 0)
        return;
    /* A forked child is not registered: it does so, and asks again. */
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) {
        LAM_ASSERT(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0);
        LAM_ASSERT(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
    }
}
