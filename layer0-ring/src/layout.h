/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_LAYOUT_H
#define LAM_RING_LAYOUT_H

/*
 * The bytes of a ring's two objects, version 2. README.md, "The memory", is the picture of it.
 *
 * Geometry is written once, before the objects appear. After that each word has one writer, named
 * beside it; words that different ends write, or poll, are 128 bytes apart.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/atomic.h"
#include "lamina/base/identity.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"
#include "lamina/ring/stat.h"
#include "layout_many.h"
#include "layout_table.h"
#include "locks.h"

#define LAM_RING_LAYOUT_VERSION 2
#define LAM_RING_DATA_MAGIC     UINT64_C(0x315441444d414c01) /* "\1LAMDAT1" */
#define LAM_RING_CONTROL_MAGIC  UINT64_C(0x314c54434d414c01) /* "\1LAMCTL1" */
#define LAM_RING_BYTE_ORDER     UINT32_C(0x01020304)
#define LAM_RING_WAYPOINT_COUNT 16
#define LAM_RING_CELL_BYTES_MIN 32
#define LAM_RING_CELL_BYTES_MAX 65536
#define LAM_RING_DATA_BYTES_MAX (UINT64_C(1) << 42)

/* What the first bytes of both objects say. */
struct lam_ring_mark {
    uint64_t magic;
    uint32_t version;
    uint32_t byte_order;
    uint64_t object_bytes;
    uint64_t ring_id; /* random, the same in both: pairs of different rings do not fit */
    uint32_t page_bytes;
    uint32_t traits; /* LAM_RING_TRAIT_... */
};

/* What whoever comes upon a ring has to know. */
#define LAM_RING_TRAIT_FILE     1U /* outlives its processes: without an end it is no leftover */
#define LAM_RING_TRAIT_HARDENED 2U /* its maker alone can produce */

struct lam_ring_waypoint {
    lam_atomic_u64 sequence; /* an event boundary */
    lam_atomic_u64 ordinal;  /* events before it */
};

/* Head of the data object. The creator writes the geometry, the producer all else. */
struct lam_ring_data {
    struct lam_ring_mark mark;
    uint64_t head_bytes;
    uint64_t depth;
    uint64_t mapped_cells;
    uint32_t cell_bytes;
    uint32_t waiting; /* enum lam_ring_waiting */
    uint64_t first_sequence;
    uint64_t type_hash;
    char name[LAM_RING_NAME_MAX + 1];
    char type_name[LAM_RING_TYPE_NAME_MAX + 1];
    uint32_t producers; /* enum lam_ring_producers */

    /* Polled by idle consumers: epoch << 8 | enum lam_ring_state. */
    _Alignas(512) lam_atomic_u64 state;
    /* Of a file: the boot in which its cells were written last. Whoever revives it stores it. */
    lam_atomic_u64 boot;
    /* Cells below it may be overwritten; the producer stays below horizon + depth. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 horizon;
    lam_atomic_u64 horizon_ordinal; /* events before it: where a revived ring's count starts */
    /* The cursor: how many waypoints were set. The newest is [(count - 1) % 16]. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 waypoint_count;
    _Alignas(LAM_HOT_BYTES) struct lam_ring_waypoint waypoints[LAM_RING_WAYPOINT_COUNT];
    /* Why the producer failed the ring; written before the state says so. */
    _Alignas(LAM_HOT_BYTES) char failure[LAM_RING_FAILURE_MAX + 1];
};

/* Control: every end maps it writable, so each word that is read here is checked. */
struct lam_ring_control {
    struct lam_ring_mark mark;
    uint32_t entry_count;
    uint32_t entry_bytes;
    uint32_t schema_offset;
    uint32_t schema_bytes;
    uint32_t histogram_offset;
    uint32_t histogram_count; /* of the first so many entries */

    /* A bit an entry that was ever used: consumers set it, nobody clears it. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 used;
    /* Grows with each consumer that begins to gate; the producer scans the table when it has. */
    lam_atomic_u64 joins;
    lam_atomic_u64 groups_used; /* a bit a group, likewise */
    /* A bit a consumer that sleeps or is about to; the producer takes them all and rings. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 sleeping;
    lam_atomic_u32 consumer_bell;
    lam_atomic_u64 consumer_rung_ns; /* when it was rung last: a hint for who wakes */
    lam_atomic_u32 repair_wanted;    /* a consumer that may not write found what the dead left */
    /* Index + 1 of the consumer, or LAM_RING_ANYONE + 1, that the sleeping producer waits for. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u32 blocked_on;
    lam_atomic_u32 producer_bell;
    lam_atomic_u64 producer_rung_ns;
    /* A bit a consumer that sleeps until those before it release; they take them all and ring. */
    lam_atomic_u64 chained;
    /* Not 0: somebody found the other's bytes impossible. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u32 poisoned;
    /* The producer's counters and who it is. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 bytes;
    lam_atomic_u64 full;
    lam_atomic_u64 parks;
    lam_atomic_u64 wakes;
    lam_atomic_u64 reaped;
    lam_atomic_u64 evicted;
    lam_atomic_u64 spin_waits;
    lam_atomic_u64 yield_waits;
    lam_atomic_u64 blocked_ns; /* time for which claims found the ring full */
    lam_atomic_u64 expelled;   /* consumers whose cursors were impossible */
    lam_atomic_u64 repairs;    /* epochs that began with what a dead producer had left */
    lam_atomic_u64 alarms;     /* of required consumers: raised */
    lam_atomic_u64 recoveries; /* and over again */
    struct lam_identity producer;
    _Alignas(1024) struct lam_ring_entry entries[LAM_RING_CONSUMER_COUNT_MAX];
    /* The application's counters: each consumer's by its entry, the producer's last. */
    struct lam_ring_counter counters[LAM_RING_CONSUMER_COUNT_MAX + 1][LAM_RING_COUNTER_COUNT];
    _Alignas(1024) struct lam_ring_group groups[LAM_RING_GROUP_COUNT_MAX];
};

LAM_STATIC_ASSERT(sizeof(struct lam_ring_mark) == 40, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, name) == 88, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, state) == 512, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, horizon) == 640, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, waypoint_count) == 768, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, waypoints) == 896, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_data, failure) == 1152, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_data) <= 4096, "the head is one small page");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, used) == 128, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, sleeping) == 256, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, blocked_on) == 384, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, poisoned) == 512, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, bytes) == 640, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, entries) == 1024, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, counters) == 33792, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, groups) == 51200, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_control) == 53248, "layout version 2");

/* The enum lam_ring_state and epoch in a state word. */
static inline enum lam_ring_state lam_ring_state_of(uint64_t word)
{
    return (enum lam_ring_state)(word & 0xff);
}

static inline uint64_t lam_ring_epoch_of(uint64_t word)
{
    return word >> 8;
}

#endif
