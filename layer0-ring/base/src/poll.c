/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/poll.h"
#include "lamina/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int lam_poll_until(int fd, short events, uint64_t deadline_ns)
{
    struct pollfd poller = {.fd = fd, .events = events};

    for (;;) {
        uint64_t now_ns = lam_clock_now_ns();
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        struct timespec left = {
            .tv_sec = (time_t)(left_ns / LAM_NS_PER_S), .tv_nsec = (long)(left_ns % LAM_NS_PER_S)};
        int ready = ppoll(&poller, 1, deadline_ns == LAM_DEADLINE_NEVER ? NULL : &left, NULL);

        if (ready > 0)
            return 0;
        if (ready == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}
