/* SPDX-License-Identifier: Apache-2.0 */
/* What a role asks once it has opened its topology. */
#include "member.h"

#include "lamina/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *lam_topology_name(const struct lam_topology *topology)
{
    return topology->plan->name;
}

const char *lam_topology_role(const struct lam_topology *topology)
{
    return topology->role->name;
}

uint32_t lam_topology_index(const struct lam_topology *topology)
{
    return topology->index;
}

const char *lam_topology_end_name(const struct lam_topology *topology)
{
    return topology->end_name;
}

uint32_t lam_topology_count(const struct lam_topology *topology, const char *role)
{
    const struct lam_plan_role *found = lam_plan_role(topology->plan, role);

    return found != NULL ? found->count : 0;
}

static const struct lam_plan_parameter *find_parameter(
    const struct lam_topology *topology, const char *key, uint32_t *index)
{
    for (uint32_t i = 0; i < topology->plan->parameter_count; i++) {
        *index = i;
        if (strcmp(topology->plan->parameters[i].key, key) == 0)
            return &topology->plan->parameters[i];
    }
    return NULL;
}

const char *lam_topology_parameter(const struct lam_topology *topology, const char *key)
{
    uint32_t index;
    const struct lam_plan_parameter *parameter = find_parameter(topology, key, &index);

    return parameter != NULL ? parameter->value : NULL;
}

/* The status page's text may be changed by any role: it is cut, not trusted. */
static char *below(const char folder[1024], const char *path)
{
    char *joined = NULL;

    if (asprintf(&joined, "%.1023s/%s", folder, path) < 0)
        return NULL;
    return joined;
}

const char *lam_topology_parameter_path(const struct lam_topology *topology, const char *key)
{
    const struct status_page *page = topology->status.page;
    struct lam_topology *cache = (struct lam_topology *)(uintptr_t)topology;
    const struct lam_plan_parameter *parameter;
    uint32_t index;

    parameter = find_parameter(topology, key, &index);
    if (parameter == NULL)
        return NULL;
    if (parameter->value[0] == '/' || strcmp(parameter->value, "-") == 0)
        return parameter->value;
    if (cache->paths[index] == NULL)
        cache->paths[index] = below(
            parameter->is_set ? page->start_directory : page->file_directory, parameter->value);
    return cache->paths[index];
}

int lam_topology_json(const struct lam_topology *topology)
{
    return (topology->status.page->flags & STATUS_FLAG_JSON) != 0;
}

uint32_t lam_topology_edge_count(const struct lam_topology *topology)
{
    return topology->plan->edge_count;
}

const struct lam_topology_edge *lam_topology_edge_at(
    const struct lam_topology *topology, uint32_t index)
{
    return index < topology->plan->edge_count ? &topology->plan->edges[index] : NULL;
}

const struct lam_topology_edge *lam_topology_edge(
    const struct lam_topology *topology, const char *name)
{
    return lam_plan_edge(topology->plan, name);
}

int lam_topology_ring_name(const struct lam_topology *topology, const char *edge, uint32_t index,
    char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    const struct lam_topology_edge *found = lam_plan_edge(topology->plan, edge);

    if (found == NULL)
        return -ENOENT;
    if (index >= found->ring_count)
        return -EINVAL;
    lam_plan_ring_name(topology->plan, found, index, name);
    return 0;
}

void lam_topology_ready(struct lam_topology *topology)
{
    /* `lamina up` writes the same a little later, maybe after somebody saw us ready. */
    lam_store_relaxed(&topology->row->pid, (uint32_t)getpid());
    /* R1, pairs with A1 in status_read(): our attachments to rings come before this. */
    lam_store_release(&topology->row->ready_starts, topology->starts);
}

void lam_topology_progress(struct lam_topology *topology, uint64_t step)
{
    /* Relaxed: a figure for people; nothing follows from it. */
    lam_store_relaxed(&topology->row->step, step);
}

int lam_topology_peer(const struct lam_topology *topology, const char *role, uint32_t index,
    struct lam_topology_peer *peer)
{
    const struct lam_plan_role *found = lam_plan_role(topology->plan, role);

    if (found == NULL || index >= found->count)
        return -ENOENT;
    status_read(&topology->status, found->first_instance + index, peer);
    return 0;
}

int lam_topology_stopping(const struct lam_topology *topology)
{
    /* Relaxed: it says that time is short, and nothing of what was written before. */
    return lam_load_relaxed(&topology->status.page->stopping) != 0;
}

/* The first instance of @role that is not ready: 1 and its name, 0 none, or -EOWNERDEAD. */
static int find_missing(const struct lam_topology *topology, const struct lam_plan_role *role,
    char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    for (uint32_t i = 0; i < role->count; i++) {
        struct lam_topology_peer peer;

        status_read(&topology->status, role->first_instance + i, &peer);
        if (peer.state == LAM_TOPOLOGY_READY)
            continue;
        lam_plan_end_name(role, i, name);
        return peer.state == LAM_TOPOLOGY_ENDED ? -EOWNERDEAD : 1;
    }
    return 0;
}

static int find_missing_of_all(
    const struct lam_topology *topology, const char *only, char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    int code = 0;

    for (uint32_t i = 0; code == 0 && i < topology->plan->role_count; i++) {
        const struct lam_plan_role *role = &topology->plan->roles[i];

        if (only != NULL ? strcmp(only, role->name) == 0 : role != topology->role)
            code = find_missing(topology, role, name);
    }
    return code;
}

int lam_topology_wait_ready_until(
    struct lam_topology *topology, const char *role, uint64_t deadline_ns, struct lam_error *error)
{
    const struct timespec pause = {.tv_nsec = (long)LAM_NS_PER_MS};
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];

    if (role != NULL && lam_plan_role(topology->plan, role) == NULL)
        return lam_error_set(error, -ENOENT, "there is no role \"%s\"", role);
    for (;;) {
        int code = find_missing_of_all(topology, role, name);

        if (code == 0)
            return 0;
        if (lam_topology_stopping(topology))
            return lam_error_set(error, -ECANCELED, "the topology is stopping");
        if (code < 0)
            return lam_error_set(error, code, "%s has ended before all were ready", name);
        if (lam_clock_now_ns() >= deadline_ns)
            return lam_error_set(error, -ETIMEDOUT, "%s is not ready", name);
        (void)nanosleep(&pause, NULL);
    }
}
