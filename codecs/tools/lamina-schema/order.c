/* SPDX-License-Identifier: Apache-2.0 */

/*
 * order.c: records after what they refer to, cycles kept together, and the hashes over these.
 *
 * Tarjan's search for strongly connected groups, with a stack of its own: a group is complete only
 * when all that it refers to is, which is the order that C wants.
 */

#include "front.h"
#include "hash.h"

#include "lamina/base/assert.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct draft_record *record;
    size_t number; /* order of discovery from 1; 0: not yet seen */
    size_t low;    /* the smallest number that it reaches within its group */
    size_t next;   /* the next successor to visit */
    size_t group;  /* once complete, from 1 */
    uint64_t own_hash;
};

struct group {
    uint64_t hash;
    uint32_t align_max;
};

struct search {
    struct schema_arena *arena;
    struct node *nodes;
    size_t node_count;
    size_t seen;
    size_t *path; /* nodes being visited, the calls of a recursive search */
    size_t path_count;
    size_t *open; /* nodes seen whose group is not complete */
    size_t open_count;
    struct group *groups; /* [0] is unused */
    size_t group_count;
    size_t *edges; /* successors of node i: edges[first[i]] to edges[first[i + 1] - 1] */
    size_t *first;
    struct list order;
};

static void add_edge(struct search *search, struct list *edges, const struct schema_record *record)
{
    if (record != NULL)
        list_add(search->arena, edges, &search->nodes[record->order_index]);
}

/* Members of a union once for each record, however many of its fields are of that union. */
static void add_union_edges(
    struct search *search, struct list *edges, const struct schema_enum *enumeration, size_t node)
{
    struct draft_enum *draft = (struct draft_enum *)enumeration; /* its first member */

    if (draft->seen_by == node + 1)
        return;
    draft->seen_by = node + 1;
    for (size_t i = 0; i < enumeration->value_count; i++)
        add_edge(search, edges, enumeration->values[i].type.record);
}

static void add_edges(struct search *search, struct list *edges, size_t node)
{
    const struct schema_record *record = &search->nodes[node].record->record;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = record->fields[i];
        const struct schema_enum *enumeration = field->type.enumeration;

        add_edge(search, edges, field->type.record);
        add_edge(search, edges, field->nested_flatbuffer);
        if (enumeration != NULL && enumeration->is_union)
            add_union_edges(search, edges, enumeration, node);
    }
}

static void make_graph(struct search *search)
{
    struct list edges = {0};

    search->first = arena_alloc(search->arena, (search->node_count + 1) * sizeof(size_t));
    for (size_t i = 0; i < search->node_count; i++) {
        search->first[i] = edges.count;
        add_edges(search, &edges, i);
    }
    search->first[search->node_count] = edges.count;
    search->edges = arena_alloc(search->arena, (edges.count + 1) * sizeof(size_t));
    for (size_t i = 0; i < edges.count; i++)
        search->edges[i] = (size_t)((struct node *)edges.items[i] - search->nodes);
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static int by_index(const void *left, const void *right)
{
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;

    return (a > b) - (a < b);
}

static uint32_t own_align(const struct schema_record *record)
{
    uint32_t align = record->align > 4 ? record->align : 4;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = record->fields[i];
        uint32_t element = schema_kind_size(field->type.element);

        align = field->force_align > align ? field->force_align : align;
        align = element > align ? element : align;
    }
    return align;
}

/* Hashes of the members, then of the groups they refer to, each in ascending order, each once. */
static void hash_group(struct search *search, const size_t *members, size_t count, size_t index)
{
    struct group *group = &search->groups[index];
    size_t edge_count = 0;
    size_t found = 0;
    uint64_t *hashes;
    uint64_t last = 0;

    for (size_t i = 0; i < count; i++)
        edge_count += search->first[members[i] + 1] - search->first[members[i]];
    hashes = arena_alloc(search->arena, (count + edge_count) * sizeof(*hashes));
    for (size_t i = 0; i < count; i++)
        hashes[i] = search->nodes[members[i]].own_hash;
    qsort(hashes, count, sizeof(*hashes), by_value);
    group->hash = hash_word(HASH_START, count);
    for (size_t i = 0; i < count; i++)
        group->hash = hash_word(group->hash, hashes[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t edge = search->first[members[i]]; edge < search->first[members[i] + 1];
             edge++) {
            size_t other = search->nodes[search->edges[edge]].group;

            if (other == index)
                continue;
            hashes[found++] = search->groups[other].hash;
            if (search->groups[other].align_max > group->align_max)
                group->align_max = search->groups[other].align_max;
        }
    qsort(hashes, found, sizeof(*hashes), by_value);
    for (size_t i = 0; i < found; i++) {
        if (i == 0 || hashes[i] != last)
            group->hash = hash_word(group->hash, hashes[i]);
        last = hashes[i];
    }
}

static bool refers_to_itself(const struct search *search, size_t node)
{
    for (size_t edge = search->first[node]; edge < search->first[node + 1]; edge++)
        if (search->edges[edge] == node)
            return true;
    return false;
}

/* The group of @node, which is its first member seen, is complete: take it off the stack. */
static void close_group(struct search *search, size_t node)
{
    size_t index = ++search->group_count;
    size_t begin = search->open_count;
    size_t *members;
    size_t count;

    do {
        begin--;
        search->nodes[search->open[begin]].group = index;
    } while (search->open[begin] != node);
    members = search->open + begin;
    count = search->open_count - begin;
    qsort(members, count, sizeof(*members), by_index);
    for (size_t i = 0; i < count; i++) {
        struct schema_record *record = &search->nodes[members[i]].record->record;
        uint32_t align = own_align(record);

        record->is_recursive = count > 1 || refers_to_itself(search, node);
        if (align > search->groups[index].align_max)
            search->groups[index].align_max = align;
        list_add(search->arena, &search->order, record);
    }
    hash_group(search, members, count, index);
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

/* Visit all that @start reaches and was not seen before. */
static void visit(struct search *search, size_t start)
{
    enter(search, start);
    while (search->path_count > 0) {
        size_t at = search->path[search->path_count - 1];
        struct node *node = &search->nodes[at];
        size_t edge = search->first[at] + node->next;

        if (edge < search->first[at + 1]) {
            const struct node *successor = &search->nodes[search->edges[edge]];

            node->next++;
            if (successor->number == 0)
                enter(search, search->edges[edge]);
            else if (successor->group == 0)
                lower(node, successor->number);
            continue;
        }
        search->path_count--;
        if (node->low == node->number)
            close_group(search, at);
        if (search->path_count > 0)
            lower(&search->nodes[search->path[search->path_count - 1]], node->low);
    }
}

static void finish_records(struct search *search, struct schema *schema)
{
    schema->order = (const struct schema_record *const *)search->order.items;
    schema->record_count = search->order.count;
    for (size_t i = 0; i < search->node_count; i++) {
        struct node *node = &search->nodes[i];
        const struct group *group = &search->groups[node->group];
        struct schema_record *record = &node->record->record;

        record->align_max = group->align_max;
        record->hash = hash_word(node->own_hash, group->hash);
    }
    for (size_t i = 0; i < search->order.count; i++)
        ((struct schema_record *)search->order.items[i])->order_index = (uint32_t)i;
}

static uint64_t hash_all(struct schema_arena *arena, const struct schema *schema)
{
    uint64_t *hashes = arena_alloc(arena, (schema->record_count + 1) * sizeof(*hashes));
    uint64_t hash = HASH_START;

    for (size_t i = 0; i < schema->record_count; i++)
        hashes[i] = schema->order[i]->hash;
    qsort(hashes, schema->record_count, sizeof(*hashes), by_value);
    for (size_t i = 0; i < schema->record_count; i++)
        hash = hash_word(hash, hashes[i]);
    return hash;
}

void order_records(struct front *front)
{
    size_t count = front->records.count;
    struct search search = {.arena = front->arena, .node_count = count};

    search.nodes = arena_alloc(front->arena, (count + 1) * sizeof(*search.nodes));
    search.path = arena_alloc(front->arena, (count + 1) * sizeof(*search.path));
    search.open = arena_alloc(front->arena, (count + 1) * sizeof(*search.open));
    search.groups = arena_alloc(front->arena, (count + 1) * sizeof(*search.groups));
    for (size_t i = 0; i < front->enums.count; i++) {
        struct draft_enum *draft = front->enums.items[i];

        draft->enumeration.hash = hash_enum(&draft->enumeration);
    }
    for (size_t i = 0; i < count; i++) {
        struct draft_record *record = front->records.items[i];

        record->record.order_index = (uint32_t)i; /* its node, until the order is known */
        search.nodes[i].record = record;
        search.nodes[i].own_hash = hash_record(&record->record);
    }
    make_graph(&search);
    for (size_t i = 0; i < count; i++)
        if (search.nodes[i].number == 0)
            visit(&search, i);
    LAM_ASSERT(search.order.count == count);
    finish_records(&search, front->schema);
    front->schema->hash = front->schema->root != NULL ? front->schema->root->hash
                                                      : hash_all(front->arena, front->schema);
}
