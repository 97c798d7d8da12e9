/* SPDX-License-Identifier: Apache-2.0 */
#include "stop.h"

#include <signal.h>
#include <string.h>

#include "lamina/base/atomic.h"

static lam_atomic_u32 signalled;

static void on_signal(int number)
{
    (void)number;
    /* Relaxed: it is looked at again and again, and orders nothing. */
    lam_store_relaxed(&signalled, 1);
}

void stop_init(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

int stop_asked(const struct lam_topology *topology)
{
    return lam_load_relaxed(&signalled) != 0 || lam_topology_stopping(topology);
}
