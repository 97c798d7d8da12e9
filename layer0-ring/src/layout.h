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
#include <string.h>

#include "lamina/base/atomic.h"
#include "lamina/base/crash_point.h"
#include "lamina/base/identity.h"
#include "lamina/base/wait.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"
#include "lamina/ring/stat.h"

#define LAM_RING_LAYOUT_VERSION 2
#define LAM_RING_DATA_MAGIC     UINT64_C(0x315441444d414c01) /* "\1LAMDAT1" */
#define LAM_RING_CONTROL_MAGIC  UINT64_C(0x314c54434d414c01) /* "\1LAMCTL1" */
#define LAM_RING_BYTE_ORDER     UINT32_C(0x01020304)
#define LAM_RING_WAYPOINT_COUNT 16
#define LAM_RING_CELL_BYTES_MIN 64
#define LAM_RING_CELL_BYTES_MAX 65536
#define LAM_RING_DATA_BYTES_MAX (UINT64_C(1) << 42)

/* Bytes of the control object that are locks. Consumer i holds byte LAM_RING_LOCK_CONSUMER + i. */
enum {
    LAM_RING_LOCK_PRODUCER = 0,
    LAM_RING_LOCK_CONSUMER = 1,
    LAM_RING_LOCK_CREATOR = 100,
    LAM_RING_LOCK_REPLACE = 101,
    LAM_RING_LOCK_REPAIR = 102, /* whoever fills a hole that a dead producer left */
    LAM_RING_LOCK_GROUPS = 103, /* whoever joins, leaves or gives up a group */
    LAM_RING_LOCK_MANY = 128,   /* of many producers, i holds LAM_RING_LOCK_MANY + i */
    LAM_RING_LOCK_END = 192,
};

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

/* One of many producers. The low byte of its state; above it, a generation. */
enum lam_ring_many_state {
    LAM_RING_MANY_FREE = 0,
    LAM_RING_MANY_OPEN = 1,
    LAM_RING_MANY_CLOSED = 2, /* it has left in order; it may still hold its lock */
};

struct lam_ring_many_entry {
    lam_atomic_u64 state;
    struct lam_identity identity;
    char name[LAM_RING_PRODUCER_NAME_MAX + 1];
    /*
     * Where its newest claim starts, or would have: stored before the claim, and left there. One
     * that is neither above nor at a hole says nothing.
     */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 intent;
};

/*
 * Many producers' words, in the data object behind its head: those who may write events may write
 * them, and no others. Behind it lie the events' headers, one for each mapped cell.
 */
struct lam_ring_many {
    lam_atomic_u64 tail;                         /* sequence of the next claim */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 used; /* a bit an entry that was ever used */
    _Alignas(LAM_HOT_BYTES) struct lam_ring_many_entry entries[LAM_RING_PRODUCER_COUNT_MAX];
};

#define LAM_RING_MANY_OFFSET 4096

LAM_STATIC_ASSERT(sizeof(struct lam_ring_many_entry) == 256, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_many, entries) == 256, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_many) == 256 + 64 * 256, "layout version 2");

/* The low byte of a consumer entry's state; above it, a generation that grows with each change. */
enum lam_ring_entry_state {
    LAM_RING_ENTRY_FREE = 0,
    LAM_RING_ENTRY_JOINING = 1,
    LAM_RING_ENTRY_GATING = 2,
    LAM_RING_ENTRY_EXPELLED = 3, /* its cursor was impossible */
    LAM_RING_ENTRY_LOSSY = 4,    /* holds nobody back */
    LAM_RING_ENTRY_EVICTED = 5,  /* it held the producer back for longer than it may */
    LAM_RING_ENTRY_LEFT = 6,     /* detached; its name and place are kept */
    LAM_RING_ENTRY_DEAD = 7,     /* found dead by the producer; likewise */
    LAM_RING_ENTRY_MEMBER = 8,   /* of a group; gates while it holds something */
};

/*
 * Where a consumer stopped: for the next one of its name. It holds for one state word of the entry:
 * @mark's, and the one before @mark, if @mark says GATING: a successor that died as it took over.
 */
struct lam_ring_left {
    lam_atomic_u64 mark;
    lam_atomic_u64 sequence;
    lam_atomic_u64 ordinal; /* events before it */
};

/* For blocked_on, in place of an index: the producer waits for consumers to come. */
#define LAM_RING_ANYONE (UINT32_MAX - 1)

struct lam_ring_entry {
    lam_atomic_u64 state;
    struct lam_identity identity; /* written while joining */
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    lam_atomic_u32 blocked_on;  /* index + 1 when one of many producers sleeps on this consumer */
    lam_atomic_u64 patience_ns; /* evicted after holding the producer back for so long; 0 never */
    /* The consumer's: all below is released. Alone, since the producer reads it. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 cursor;
    lam_atomic_u64 cursor_ordinal; /* a lossy one's: events of the ring before its cursor */
    /* A group's member: whether it has events, from the cursor to the end; see group.c. */
    lam_atomic_u64 holds;
    lam_atomic_u64 hold_end;
    lam_atomic_u64 confirmed; /* what it took up to here, it did take; others say it, too */
    lam_atomic_u64 group;     /* its number */
    /* The consumer's counters. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 parks;
    lam_atomic_u64 lost;        /* events that it was too late for */
    lam_atomic_u64 spin_waits;  /* waits that ended while it spun */
    lam_atomic_u64 yield_waits; /* likewise, after it had yielded */
    lam_atomic_u64 empty;       /* looks that found nothing, in 64s */
    lam_atomic_u64 wakes;       /* system calls made to wake the producer */
    lam_atomic_u64 overruns;    /* times that events were lost */
    lam_atomic_u64 joined;      /* events of the ring before the first that was its; ~0 not yet */
    /* By whoever holds the entry's lock: a place that it left, or took over and has not told of. */
    struct lam_ring_left left;
    /* The consumer's, while it joins: hashes of the names that it goes after, 0 for none. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 after[LAM_RING_AFTER_COUNT_MAX];
    /* The producer's, once it gates: the most cells that it was seen behind. */
    lam_atomic_u64 lag_max;
    /* The producer's: the place of one that it found dead or evicted. */
    struct lam_ring_left taken;
    lam_atomic_u64 required; /* 1: its producer needs it; the entry is kept for its name */
};

/* The low byte of a group's state; above it, a generation. */
enum lam_ring_group_state {
    LAM_RING_GROUP_FREE = 0,
    LAM_RING_GROUP_OPEN = 1,
    LAM_RING_GROUP_EXPELLED = 2, /* its claim was impossible */
};

/* Changed with the lock of all groups held, but for an open one that the producer expels. */
struct lam_ring_group {
    lam_atomic_u64 state;
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    /* (How far its members have taken events - the ring's first sequence) << 6 | who took last. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 claim;
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
LAM_STATIC_ASSERT(sizeof(struct lam_ring_entry) == 512, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, used) == 128, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, sleeping) == 256, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, blocked_on) == 384, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, poisoned) == 512, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, bytes) == 640, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, entries) == 1024, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, counters) == 33792, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_group) == 256, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_control, groups) == 51200, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_control) == 53248, "layout version 2");

/* Sizes that follow from a ring's options. */
struct lam_ring_geometry {
    uint64_t depth;
    uint64_t mapped_cells;
    uint64_t head_bytes;
    uint64_t cells_bytes;
    uint64_t control_bytes;
    uint64_t page_bytes;         /* of data */
    uint64_t control_page_bytes; /* large only where the store has no others */
    uint32_t cell_bytes;
    enum lam_backing backing; /* huge pages may not be had */
};

/* Check @options and work the sizes out. Returns 0 or -EINVAL with a sentence. */
int lam_ring_geometry_of(struct lam_ring_geometry *geometry, const struct lam_ring_options *options,
    struct lam_error *error);

/* The same ring without huge pages. */
void lam_ring_geometry_small(
    struct lam_ring_geometry *geometry, const struct lam_ring_options *options);

/* Where histograms lie in control: behind the schema, on lines of their own. */
uint32_t lam_ring_histogram_offset(uint32_t schema_bytes);

/* Fill the fields that follow from the mapped and checked heads. */
void lam_ring_bind(struct lam_ring *ring, const struct lam_ring_data *checked,
    uint32_t schema_bytes, uint32_t histogram_count);

/* Check a copy of each head. Return 0, or -EPROTO with field, found and expected. */
int lam_ring_check_data(
    const struct lam_ring_data *data, const struct lam_segment *segment, struct lam_error *error);
int lam_ring_check_control(const struct lam_ring_control *control,
    const struct lam_segment *segment, struct lam_error *error);

/* The newest waypoint. A copy, of words that the producer may be changing. */
struct lam_ring_place {
    uint64_t sequence;
    uint64_t ordinal;
};
struct lam_ring_place lam_ring_newest_waypoint(const struct lam_ring *ring);

/*
 * Walk published events from @from, a boundary that is not overwritten, to the first that is not
 * published. Counts events into place->ordinal. Returns 0, or -EPROTO: an event cannot be.
 */
int lam_ring_walk(const struct lam_ring *ring, struct lam_ring_place *place);

/* One step of it. Returns 1, or 0: the event at *@place is not published, or -EPROTO. */
int lam_ring_walk_one(const struct lam_ring *ring, struct lam_ring_place *place);

/* Header of the event that starts at @sequence. */
static inline struct lam_event_header *lam_ring_head(const struct lam_ring *ring, uint64_t sequence)
{
    return (struct lam_event_header *)(void *)(ring->heads +
                                               ((sequence & ring->cell_mask) << ring->head_shift));
}

/*
 * Cells of the event of that @shape, or 0: it cannot be. *@is_event is 0 where it is padding, which
 * only a ring of many producers has, in any size.
 */
static inline uint64_t lam_ring_shape_cells(
    const struct lam_ring *ring, uint64_t shape, uint64_t *is_event)
{
    uint64_t cell_count = lam_ring_event_cells(ring, (uint32_t)shape);

    *is_event = (uint32_t)shape != LAM_EVENT_PADDING || ring->producers == LAM_RING_ONE_PRODUCER;
    if (*is_event)
        return cell_count > ring->event_cells_max ? 0 : cell_count;
    return shape >> 32 >= ring->depth ? 0 : shape >> 32;
}

/* Many producers' words. */
static inline struct lam_ring_many *lam_ring_many_of(const struct lam_ring *ring)
{
    return (struct lam_ring_many *)(void *)(ring->data.base + LAM_RING_MANY_OFFSET);
}

/* The enum lam_ring_state and epoch in a state word. */
static inline enum lam_ring_state lam_ring_state_of(uint64_t word)
{
    return (enum lam_ring_state)(word & 0xff);
}

static inline uint64_t lam_ring_epoch_of(uint64_t word)
{
    return word >> 8;
}

/* The enum lam_ring_entry_state in an entry's state word, and the word of its next change. */
static inline enum lam_ring_entry_state lam_ring_entry_state_of(uint64_t word)
{
    return (enum lam_ring_entry_state)(word & 0xff);
}

static inline uint64_t lam_ring_entry_next(uint64_t word, enum lam_ring_entry_state state)
{
    return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

/*
 * Whether a joiner has found its place: until then what is published may lie before it.
 * A24, pairs with R24 in the attach: its walk to that place is over.
 */
static inline int lam_ring_entry_is_settled(const struct lam_ring_entry *entry)
{
    return lam_load_acquire(&entry->joined) != UINT64_MAX;
}

/* Whether a consumer can have this name. */
static inline int lam_ring_is_consumer_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strlen(name) <= LAM_RING_CONSUMER_NAME_MAX;
}

/* Whether @left holds for an entry in the state @word. */
static inline int lam_ring_left_is_of(const struct lam_ring_left *left, uint64_t word)
{
    uint64_t mark = lam_load_acquire(&left->mark);

    return mark == word || mark == lam_ring_entry_next(word, LAM_RING_ENTRY_GATING);
}

/* One writer. A reader is told by the state word, which is changed afterwards (R11, A11). */
static inline void lam_ring_left_set(
    struct lam_ring_left *left, uint64_t word, uint64_t sequence, uint64_t ordinal)
{
    lam_store_release(&left->mark, 0);
    lam_fence_release();
    lam_store_relaxed(&left->sequence, sequence);
    lam_store_relaxed(&left->ordinal, ordinal);
    LAM_CRASH_POINT("place.half_written");
    lam_store_release(&left->mark, word);
}

static inline enum lam_ring_group_state lam_ring_group_state_of(uint64_t word)
{
    return (enum lam_ring_group_state)(word & 0xff);
}

static inline uint64_t lam_ring_group_next(uint64_t word, enum lam_ring_group_state state)
{
    return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

/*
 * Cells between two waypoints, and between two moves of the horizon: a sixteenth of the ring; of a
 * small one a quarter, or it would do little else.
 */
static inline uint64_t lam_ring_stride(uint64_t depth)
{
    uint64_t stride = depth / (depth < 256 ? 4 : LAM_RING_WAYPOINT_COUNT);

    return stride == 0 ? 1 : stride;
}

/* Count one: each counter has one writer, so no read-modify-write. */
static inline void lam_ring_count(lam_atomic_u64 *counter)
{
    lam_store_relaxed(counter, lam_load_relaxed(counter) + 1);
}

static inline void lam_ring_count_many(lam_atomic_u64 *counter, uint64_t count)
{
    lam_store_relaxed(counter, lam_load_relaxed(counter) + count);
}

/* Count a wait that is over, by the rung that it came to; sleeps were counted one by one. */
static inline void lam_ring_count_wait(
    enum lam_wait_rung rung, lam_atomic_u64 *spin_waits, lam_atomic_u64 *yield_waits)
{
    if (rung == LAM_WAIT_RUNG_SPIN)
        lam_ring_count(spin_waits);
    else if (rung == LAM_WAIT_RUNG_YIELD)
        lam_ring_count(yield_waits);
}

/* Ring the consumers' bell: all that sleep wake and look. Returns how many did. */
int lam_ring_wake_consumers(struct lam_ring_control *control);

/* The same, for those alone that go after another consumer. */
void lam_ring_wake_chained(struct lam_ring_control *control);

/* Ring the producers' bell. */
void lam_ring_wake_producers(struct lam_ring_control *control);

/* An end must not sleep on a ring whose peers do not look for sleepers. */
static inline enum lam_wait_mode lam_ring_wait_mode(
    const struct lam_ring *ring, enum lam_wait_mode wanted)
{
    if (ring->waiting == LAM_RING_SPIN_ONLY && wanted != LAM_WAIT_SPIN)
        return LAM_WAIT_YIELD;
    return wanted;
}

#endif
