/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tarjan's search for strongly connected groups, with a stack of its own: a group is complete only
 * when all that it leads to is.
 */

#include "graph.h"

#include <stdlib.h>

struct node {
    size_t number; /* order of discovery from 1; 0: not yet seen */
    size_t low;    /* the smallest number that it reaches within its group */
    size_t next;   /* the next edge to follow */
    bool complete; /* its group is */
};

struct search {
    const struct graph *graph;
    struct node *nodes;
    size_t seen;
    size_t *path; /* nodes being visited, the calls of a recursive search */
    size_t path_count;
    size_t *open; /* nodes seen whose group is not complete */
    size_t open_count;
    size_t group_count;
    graph_group_fn *complete;
    void *context;
};

static int by_index(const void *left, const void *right)
{
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;

    return (a > b) - (a < b);
}

bool graph_has_loop(const struct graph *graph, size_t node)
{
    for (size_t edge = graph->first[node]; edge < graph->first[node + 1]; edge++)
        if (graph->edges[edge] == node)
            return true;
    return false;
}

/* The group of @node, which is its first member seen, is complete: take it off the stack. */
static void close_group(struct search *search, size_t node)
{
    size_t begin = search->open_count;
    size_t count;

    do {
        begin--;
        search->nodes[search->open[begin]].complete = true;
    } while (search->open[begin] != node);
    count = search->open_count - begin;
    qsort(search->open + begin, count, sizeof(*search->open), by_index);
    search->complete(search->context, search->group_count++, search->open + begin, count);
    search->open_count = begin;
}

static void enter(struct search *search, size_t node)
{
    search->nodes[node].number = ++search->seen;
    search->nodes[node].low = search->seen;
    search->path[search->path_count++] = node;
    search->open[search->open_count++] = node;
}

static void lower(struct node *node, size_t low)
{
    if (low < node->low)
        node->low = low;
}

/* Follow one edge of @at. Returns false when it has no more. */
static bool follow(struct search *search, size_t at)
{
    struct node *node = &search->nodes[at];
    size_t edge = search->graph->first[at] + node->next;
    const struct node *to;

    if (edge == search->graph->first[at + 1])
        return false;
    node->next++;
    to = &search->nodes[search->graph->edges[edge]];
    if (to->number == 0)
        enter(search, search->graph->edges[edge]);
    else if (!to->complete)
        lower(node, to->number);
    return true;
}

/* Visit all that @start reaches and was not seen before. */
static void visit(struct search *search, size_t start)
{
    enter(search, start);
    while (search->path_count > 0) {
        size_t at = search->path[search->path_count - 1];
        const struct node *node = &search->nodes[at];

        if (follow(search, at))
            continue;
        search->path_count--;
        if (node->low == node->number)
            close_group(search, at);
        if (search->path_count > 0)
            lower(&search->nodes[search->path[search->path_count - 1]], node->low);
    }
}

void graph_groups(
    struct schema_arena *arena, const struct graph *graph, graph_group_fn *complete, void *context)
{
    size_t count = graph->node_count;
    struct search search = {.graph = graph, .complete = complete, .context = context};

    search.nodes = arena_alloc(arena, (count + 1) * sizeof(*search.nodes));
    search.path = arena_alloc(arena, (count + 1) * sizeof(*search.path));
    search.open = arena_alloc(arena, (count + 1) * sizeof(*search.open));
    for (size_t i = 0; i < count; i++)
        if (search.nodes[i].number == 0)
            visit(&search, i);
}
