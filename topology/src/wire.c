/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rings of a plan.
 *
 * All are made before any process starts and by one owner, so that no role waits for another to
 * create what it needs, and a full /dev/shm is known before anything runs.
 */
#include "wire.h"

#include "linux/numa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void wire_ring_options(const struct lam_plan *plan, const struct lam_topology_edge *edge,
    const char *name, struct lam_ring_options *options)
{
    const struct lam_plan_type *type = &plan->types[edge - plan->edges];
    int never_sleeps = edge->wait == LAM_WAIT_SPIN || edge->wait == LAM_WAIT_YIELD;

    memset(options, 0, sizeof(*options));
    options->backing = LAM_BACKING_NAMED;
    options->name = name;
    options->depth = edge->depth;
    options->cell_bytes = edge->cell_bytes;
    options->waiting = never_sleeps ? LAM_RING_SPIN_ONLY : LAM_RING_MAY_SLEEP;
    options->type_name = edge->type[0] != '\0' ? edge->type : NULL;
    options->type_hash = type->hash;
    options->schema = type->text;
    options->schema_bytes = type->text_bytes;
}

uint32_t wire_ring_count(const struct lam_plan *plan)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->edge_count; i++)
        count += plan->edges[i].ring_count;
    return count;
}

static int create_edge(const struct lam_plan *plan, const struct lam_topology_edge *edge,
    struct lam_ring *rings, uint32_t *made, struct lam_error *error)
{
    for (uint32_t i = 0; i < edge->ring_count; i++) {
        char name[LAM_TOPOLOGY_RING_NAME_BYTES];
        struct lam_ring_options options;
        int code;

        lam_plan_ring_name(plan, edge, i, name);
        wire_ring_options(plan, edge, name, &options);
        /* A hint: a kernel that refuses it places the pages where we run. */
        (void)lam_numa_prefer(edge->node);
        code = lam_ring_create(&rings[*made], &options, error);
        (void)lam_numa_prefer(-1);
        if (code != 0)
            return lam_error_prefix(error, code, "edge %s: ", edge->name);
        ++*made;
    }
    return 0;
}

int wire_create(const struct lam_plan *plan, struct lam_ring **rings, struct lam_error *error)
{
    uint32_t made = 0;
    int code = 0;

    *rings = calloc(wire_ring_count(plan) + 1, sizeof(**rings));
    if (*rings == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    for (uint32_t i = 0; code == 0 && i < plan->edge_count; i++)
        code = create_edge(plan, &plan->edges[i], *rings, &made, error);
    if (code != 0) {
        wire_destroy(*rings, made);
        free(*rings);
        *rings = NULL;
    }
    return code;
}

void wire_destroy(struct lam_ring *rings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        (void)lam_ring_destroy(&rings[i]);
}

void wire_remove_stale(const struct lam_plan *plan)
{
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        for (uint32_t j = 0; j < plan->edges[i].ring_count; j++) {
            char name[LAM_TOPOLOGY_RING_NAME_BYTES];
            struct lam_ring_attach_options options = {.name = name, .observe = 1};
            struct lam_ring ring;

            lam_plan_ring_name(plan, &plan->edges[i], j, name);
            if (lam_ring_attach(&ring, &options, NULL) == 0)
                (void)lam_ring_destroy(&ring);
        }
    }
}
