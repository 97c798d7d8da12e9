/* SPDX-License-Identifier: Apache-2.0 */
/* The words of both objects that mean something. */
#include "prey.h"

#include "layout.h"

#define AT(object, type, member, base, stride, count, kind)                                        \
    {                                                                                              \
        object, (uint32_t)((base) + offsetof(type, member)),                                       \
            (uint32_t)sizeof(((type *)0)->member), stride, count, kind                             \
    }
#define DATA(member, kind)    AT(0, struct lam_ring_data, member, 0, 0, 1, kind)
#define CONTROL(member, kind) AT(1, struct lam_ring_control, member, 0, 0, 1, kind)
#define WAYPOINT(member, kind)                                                                     \
    AT(0, struct lam_ring_waypoint, member, offsetof(struct lam_ring_data, waypoints),             \
        sizeof(struct lam_ring_waypoint), LAM_RING_WAYPOINT_COUNT, kind)
#define MANY(member, kind) AT(0, struct lam_ring_many, member, LAM_RING_MANY_OFFSET, 0, 1, kind)
#define MANY_ENTRY(member, kind)                                                                   \
    AT(0, struct lam_ring_many_entry, member,                                                      \
        LAM_RING_MANY_OFFSET + offsetof(struct lam_ring_many, entries),                            \
        sizeof(struct lam_ring_many_entry), LAM_RING_PRODUCER_COUNT_MAX, kind)
#define ENTRY(member, kind)                                                                        \
    AT(1, struct lam_ring_entry, member, offsetof(struct lam_ring_control, entries),               \
        sizeof(struct lam_ring_entry), LAM_RING_CONSUMER_COUNT_MAX, kind)
#define GROUP(member, kind)                                                                        \
    AT(1, struct lam_ring_group, member, offsetof(struct lam_ring_control, groups),                \
        sizeof(struct lam_ring_group), LAM_RING_GROUP_COUNT_MAX, kind)
#define COUNTER(member, kind)                                                                      \
    AT(1, struct lam_ring_counter, member, offsetof(struct lam_ring_control, counters),            \
        sizeof(struct lam_ring_counter),                                                           \
        (LAM_RING_CONSUMER_COUNT_MAX + 1) * LAM_RING_COUNTER_COUNT, kind)

const struct prey_field prey_fields[] = {
    DATA(mark.magic, PREY_WORD),
    DATA(mark.object_bytes, PREY_WORD),
    DATA(mark.page_bytes, PREY_WORD),
    DATA(mark.traits, PREY_INDEX),
    DATA(head_bytes, PREY_WORD),
    DATA(depth, PREY_WORD),
    DATA(mapped_cells, PREY_WORD),
    DATA(cell_bytes, PREY_WORD),
    DATA(waiting, PREY_INDEX),
    DATA(first_sequence, PREY_SEQUENCE),
    DATA(type_hash, PREY_WORD),
    DATA(name, PREY_TEXT),
    DATA(type_name, PREY_TEXT),
    DATA(producers, PREY_INDEX),
    DATA(state, PREY_STATE),
    DATA(boot, PREY_WORD),
    DATA(horizon, PREY_SEQUENCE),
    DATA(horizon_ordinal, PREY_WORD),
    DATA(waypoint_count, PREY_WORD),
    DATA(failure, PREY_TEXT),
    WAYPOINT(sequence, PREY_SEQUENCE),
    WAYPOINT(ordinal, PREY_WORD),
    MANY(tail, PREY_SEQUENCE),
    MANY(used, PREY_BITS),
    MANY_ENTRY(state, PREY_STATE),
    MANY_ENTRY(intent, PREY_SEQUENCE),
    MANY_ENTRY(name, PREY_TEXT),
    CONTROL(mark.object_bytes, PREY_WORD),
    CONTROL(entry_count, PREY_WORD),
    CONTROL(entry_bytes, PREY_WORD),
    CONTROL(schema_offset, PREY_WORD),
    CONTROL(schema_bytes, PREY_WORD),
    CONTROL(histogram_offset, PREY_WORD),
    CONTROL(histogram_count, PREY_INDEX),
    CONTROL(used, PREY_BITS),
    CONTROL(joins, PREY_WORD),
    CONTROL(groups_used, PREY_BITS),
    CONTROL(sleeping, PREY_BITS),
    CONTROL(consumer_bell, PREY_WORD),
    CONTROL(consumer_rung_ns, PREY_TIME),
    CONTROL(repair_wanted, PREY_INDEX),
    CONTROL(blocked_on, PREY_INDEX),
    CONTROL(producer_bell, PREY_WORD),
    CONTROL(producer_rung_ns, PREY_TIME),
    CONTROL(chained, PREY_BITS),
    CONTROL(poisoned, PREY_INDEX),
    CONTROL(bytes, PREY_WORD),
    CONTROL(producer, PREY_TEXT),
    ENTRY(state, PREY_STATE),
    ENTRY(name, PREY_TEXT),
    ENTRY(blocked_on, PREY_INDEX),
    ENTRY(patience_ns, PREY_TIME),
    ENTRY(cursor, PREY_SEQUENCE),
    ENTRY(cursor_ordinal, PREY_WORD),
    ENTRY(holds, PREY_INDEX),
    ENTRY(hold_end, PREY_SEQUENCE),
    ENTRY(confirmed, PREY_SEQUENCE),
    ENTRY(group, PREY_INDEX),
    ENTRY(joined, PREY_WORD),
    ENTRY(left.mark, PREY_STATE),
    ENTRY(left.sequence, PREY_SEQUENCE),
    ENTRY(left.ordinal, PREY_WORD),
    ENTRY(after, PREY_TEXT),
    ENTRY(taken.mark, PREY_STATE),
    ENTRY(taken.sequence, PREY_SEQUENCE),
    ENTRY(taken.ordinal, PREY_WORD),
    ENTRY(required, PREY_INDEX),
    GROUP(state, PREY_STATE),
    GROUP(name, PREY_TEXT),
    GROUP(claim, PREY_CLAIM),
    COUNTER(name, PREY_TEXT),
};

const uint32_t prey_field_count = sizeof(prey_fields) / sizeof(prey_fields[0]);
