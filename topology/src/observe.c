/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only looks at a running topology. */
#include "lamina/topology/observe.h"

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"
#include "status.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct lam_observer {
    struct status status;
    struct lam_plan *plan;
    struct lam_ring *rings;
    const struct lam_topology_edge **edges; /* of each ring */
    uint32_t ring_count;
};

static int attach_ring(struct lam_observer *observer, const struct lam_topology_edge *edge,
    uint32_t index, struct lam_error *error)
{
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_ring_attach_options options = {.name = name, .observe = 1};
    int code;

    lam_plan_ring_name(observer->plan, edge, index, name);
    code = lam_ring_attach(&observer->rings[observer->ring_count], &options, error);
    if (code != 0)
        return lam_error_prefix(error, code, "ring %s: ", name);
    observer->edges[observer->ring_count++] = edge;
    return 0;
}

static int attach_rings(struct lam_observer *observer, struct lam_error *error)
{
    uint32_t count = wire_ring_count(observer->plan);
    int code = 0;

    observer->rings = calloc(count + 1, sizeof(*observer->rings));
    observer->edges = calloc(count + 1, sizeof(*observer->edges));
    if (observer->rings == NULL || observer->edges == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    for (uint32_t i = 0; code == 0 && i < observer->plan->edge_count; i++)
        for (uint32_t j = 0; code == 0 && j < observer->plan->edges[i].ring_count; j++)
            code = attach_ring(observer, &observer->plan->edges[i], j, error);
    return code;
}

int lam_observer_attach(struct lam_observer **observer, const char *name, struct lam_error *error)
{
    struct lam_observer *made = calloc(1, sizeof(*made));
    int code;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    code = status_attach(&made->status, name, LAM_ACCESS_READ, error);
    if (code != 0) {
        free(made);
        return code;
    }
    code = status_plan(&made->status, &made->plan, error);
    if (code == 0)
        code = attach_rings(made, error);
    if (code != 0) {
        lam_observer_detach(made);
        return code;
    }
    *observer = made;
    return 0;
}

void lam_observer_detach(struct lam_observer *observer)
{
    if (observer == NULL)
        return;
    for (uint32_t i = 0; i < observer->ring_count; i++)
        lam_ring_detach(&observer->rings[i]);
    free(observer->rings);
    free(observer->edges);
    lam_plan_destroy(observer->plan);
    status_close(&observer->status);
    free(observer);
}

const struct lam_plan *lam_observer_plan(const struct lam_observer *observer)
{
    return observer->plan;
}

uint64_t lam_observer_started_ns(const struct lam_observer *observer)
{
    return observer->status.page->started_ns;
}

uint32_t lam_observer_up_pid(const struct lam_observer *observer)
{
    return observer->status.page->up_pid;
}

int lam_observer_is_up(const struct lam_observer *observer)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    /* Where it cannot be asked, it counts as up: a tool then shows what it sees. */
    if (fcntl(observer->status.segment.fd, F_OFD_GETLK, &lock) != 0)
        return 1;
    return lock.l_type != F_UNLCK;
}

void lam_observer_peer(
    const struct lam_observer *observer, uint32_t instance, struct lam_topology_peer *peer)
{
    LAM_ASSERT(instance < observer->plan->instance_count);
    status_read(&observer->status, instance, peer);
    /* Nobody notes the end of a process once `lamina up` is dead. */
    if ((peer->state == LAM_TOPOLOGY_READY || peer->state == LAM_TOPOLOGY_STARTING) &&
        !lam_observer_is_up(observer) && kill(peer->pid, 0) != 0 && errno == ESRCH)
        peer->state = LAM_TOPOLOGY_DIED;
}

uint32_t lam_observer_ring_count(const struct lam_observer *observer)
{
    return observer->ring_count;
}

int lam_observer_ring(
    const struct lam_observer *observer, uint32_t index, struct lam_observed_ring *ring)
{
    LAM_ASSERT(index < observer->ring_count);
    (void)snprintf(ring->name, sizeof(ring->name), "%.79s", observer->rings[index].name);
    ring->edge = observer->edges[index];
    ring->at_ns = lam_clock_now_ns();
    return lam_ring_stat_read(&observer->rings[index], &ring->stat);
}
