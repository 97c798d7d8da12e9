/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/wait.h"

int lam_wait_step_slow(struct lam_wait *wait)
{
    uint64_t now_ns = lam_clock_now_ns();

    if (now_ns >= wait->deadline_ns)
        return -ETIMEDOUT;
    if (wait->spin_until_ns == 0) {
        wait->spin_until_ns = now_ns + wait->spin_ns;
        wait->check_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    }
    if (now_ns >= wait->check_at_ns) {
        wait->check_at_ns = now_ns + LAM_WAIT_CHECK_NS;
        return LAM_WAIT_CHECK;
    }
    if (wait->mode == LAM_WAIT_FUTEX)
        return LAM_WAIT_PARK;
    if (wait->mode == LAM_WAIT_SPIN || now_ns < wait->spin_until_ns) {
        lam_pause();
        return LAM_WAIT_LOOK;
    }
    if (wait->mode == LAM_WAIT_HYBRID)
        return LAM_WAIT_PARK;
    lam_base->yield();
    wait->steps = 63; /* past the window each step yields */
    return LAM_WAIT_LOOK;
}
