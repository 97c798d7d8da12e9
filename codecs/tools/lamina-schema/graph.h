/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_GRAPH_H
#define LAM_SCHEMA_GRAPH_H

/*
 * graph.h: the groups of a directed graph in which every node reaches every other, each group after
 * all that it leads to. Linear, and without recursion: a schema decides how deep it would be.
 */

#include "arena.h"

struct graph {
    size_t node_count;
    const size_t *first; /* node_count + 1 of them */
    const size_t *edges; /* node i leads to edges[first[i]] up to edges[first[i + 1] - 1] */
};

/* A group is complete: its @count members, ascending. Called in order of @index, from 0. */
typedef void graph_group_fn(void *context, size_t index, const size_t *members, size_t count);

void graph_groups(
    struct schema_arena *arena, const struct graph *graph, graph_group_fn *complete, void *context);

/* Whether @node leads to itself by an edge of its own. */
bool graph_has_loop(const struct graph *graph, size_t node);

#endif
