/* SPDX-License-Identifier: Apache-2.0 */

/*
 * order.c: records after what they refer to, cycles kept together, and the hashes over these.
 */

#include "front.h"
#include "graph.h"
#include "hash.h"

#include "lamina/base/assert.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct draft_record *record;
    size_t group; /* once complete */
    uint64_t own_hash;
};

/* Records of one cycle, or one record. */
struct group {
    uint64_t hash;
    uint32_t align_max;
};

struct ordering {
    struct schema_arena *arena;
    struct graph graph;
    struct node *nodes;
    struct group *groups;
    struct list order;
};

static void add_edge(struct ordering *o, struct list *edges, const struct schema_record *record)
{
    if (record != NULL)
        list_add(o->arena, edges, &o->nodes[record->order_index]);
}

/* Members of a union once for each record, however many of its fields are of that union. */
static void add_union_edges(
    struct ordering *o, struct list *edges, const struct schema_enum *enumeration, size_t node)
{
    struct draft_enum *draft = (struct draft_enum *)enumeration; /* its first member */

    if (draft->seen_by == node + 1)
        return;
    draft->seen_by = node + 1;
    for (size_t i = 0; i < enumeration->value_count; i++)
        add_edge(o, edges, enumeration->values[i].type.record);
}

static void add_edges(struct ordering *o, struct list *edges, size_t node)
{
    const struct schema_record *record = &o->nodes[node].record->record;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = record->fields[i];
        const struct schema_enum *enumeration = field->type.enumeration;

        add_edge(o, edges, field->type.record);
        add_edge(o, edges, field->nested_flatbuffer);
        if (enumeration != NULL && enumeration->is_union)
            add_union_edges(o, edges, enumeration, node);
    }
}

static void make_graph(struct ordering *o)
{
    size_t count = o->graph.node_count;
    size_t *first = arena_alloc(o->arena, (count + 1) * sizeof(*first));
    struct list found = {0};
    size_t *edges;

    for (size_t i = 0; i < count; i++) {
        first[i] = found.count;
        add_edges(o, &found, i);
    }
    first[count] = found.count;
    edges = arena_alloc(o->arena, (found.count + 1) * sizeof(*edges));
    for (size_t i = 0; i < found.count; i++)
        edges[i] = (size_t)((struct node *)found.items[i] - o->nodes);
    o->graph.first = first;
    o->graph.edges = edges;
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

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
static void hash_group(struct ordering *o, const size_t *members, size_t count, size_t index)
{
    struct group *group = &o->groups[index];
    size_t edge_count = 0;
    size_t found = 0;
    uint64_t *hashes;
    uint64_t last = 0;

    for (size_t i = 0; i < count; i++)
        edge_count += o->graph.first[members[i] + 1] - o->graph.first[members[i]];
    hashes = arena_alloc(o->arena, (count + edge_count) * sizeof(*hashes));
    for (size_t i = 0; i < count; i++)
        hashes[i] = o->nodes[members[i]].own_hash;
    qsort(hashes, count, sizeof(*hashes), by_value);
    group->hash = hash_word(HASH_START, count);
    for (size_t i = 0; i < count; i++)
        group->hash = hash_word(group->hash, hashes[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t edge = o->graph.first[members[i]]; edge < o->graph.first[members[i] + 1];
             edge++) {
            size_t other = o->nodes[o->graph.edges[edge]].group;

            if (other == index)
                continue;
            hashes[found++] = o->groups[other].hash;
            if (o->groups[other].align_max > group->align_max)
                group->align_max = o->groups[other].align_max;
        }
    qsort(hashes, found, sizeof(*hashes), by_value);
    for (size_t i = 0; i < found; i++) {
        if (i == 0 || hashes[i] != last)
            group->hash = hash_word(group->hash, hashes[i]);
        last = hashes[i];
    }
}

static void close_group(void *context, size_t index, const size_t *members, size_t count)
{
    struct ordering *o = context;

    for (size_t i = 0; i < count; i++) {
        struct node *node = &o->nodes[members[i]];
        struct schema_record *record = &node->record->record;
        uint32_t align = own_align(record);

        node->group = index;
        record->is_recursive = count > 1 || graph_has_loop(&o->graph, members[i]);
        if (align > o->groups[index].align_max)
            o->groups[index].align_max = align;
        list_add(o->arena, &o->order, record);
    }
    hash_group(o, members, count, index);
}

static void finish_records(struct ordering *o, struct schema *schema)
{
    schema->order = (const struct schema_record *const *)o->order.items;
    schema->record_count = o->order.count;
    for (size_t i = 0; i < o->graph.node_count; i++) {
        struct node *node = &o->nodes[i];
        const struct group *group = &o->groups[node->group];
        struct schema_record *record = &node->record->record;

        record->align_max = group->align_max;
        record->hash = hash_word(node->own_hash, group->hash);
    }
    for (size_t i = 0; i < o->order.count; i++)
        ((struct schema_record *)o->order.items[i])->order_index = (uint32_t)i;
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
    struct ordering o = {.arena = front->arena, .graph = {.node_count = count}};

    o.nodes = arena_alloc(front->arena, (count + 1) * sizeof(*o.nodes));
    o.groups = arena_alloc(front->arena, (count + 1) * sizeof(*o.groups));
    for (size_t i = 0; i < front->enums.count; i++) {
        struct draft_enum *draft = front->enums.items[i];

        draft->enumeration.hash = hash_enum(&draft->enumeration);
    }
    for (size_t i = 0; i < count; i++) {
        struct draft_record *record = front->records.items[i];

        record->record.order_index = (uint32_t)i; /* its node, until the order is known */
        o.nodes[i].record = record;
        o.nodes[i].own_hash = hash_record(&record->record);
    }
    make_graph(&o);
    graph_groups(front->arena, &o.graph, close_group, &o);
    LAM_ASSERT(o.order.count == count);
    finish_records(&o, front->schema);
    front->schema->hash = front->schema->root != NULL ? front->schema->root->hash
                                                      : hash_all(front->arena, front->schema);
}
