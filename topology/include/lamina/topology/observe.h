/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_OBSERVE_H
#define LAM_TOPOLOGY_OBSERVE_H

/*
 * lamina/topology/observe.h: look at a running topology without taking part in it.
 *
 * Topology, floor 5. Maps the status page and every ring read-only; nobody notices, nobody is
 * slowed down. This is what `lamina stat` prints. One thread at a time.
 */

#include "lamina/base/error.h"
#include "lamina/ring/stat.h"
#include "lamina/topology/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_observer; /* opaque */

/* One ring at one moment. */
struct lam_observed_ring {
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    const struct lam_topology_edge *edge; /* of the observer's plan */
    uint64_t at_ns;                       /* monotonic */
    struct lam_ring_stat stat;
};

/*
 * Attach to the topology that is up under @name, which is its bare name.
 *
 * Returns 0 and sets *@observer, or -ENOENT (none is up), -EPROTO, -ENOMEM, -errno.
 */
int lam_observer_attach(struct lam_observer **observer, const char *name, struct lam_error *error);
void lam_observer_detach(struct lam_observer *observer);

/* The plan of the running topology, lent until detach; when it was started; who runs it. */
const struct lam_plan *lam_observer_plan(const struct lam_observer *observer);
uint64_t lam_observer_started_ns(const struct lam_observer *observer);
uint32_t lam_observer_up_pid(const struct lam_observer *observer);

/* 0 once the `lamina up` that runs it has ended or died. */
int lam_observer_is_up(const struct lam_observer *observer);

/* What process @instance of the plan is at. */
void lam_observer_peer(
    const struct lam_observer *observer, uint32_t instance, struct lam_topology_peer *peer);

uint32_t lam_observer_ring_count(const struct lam_observer *observer);

/* Look at ring @index. Returns 0, or -EPROTO where it makes no sense. */
int lam_observer_ring(
    const struct lam_observer *observer, uint32_t index, struct lam_observed_ring *ring);

#ifdef __cplusplus
}
#endif

#endif
