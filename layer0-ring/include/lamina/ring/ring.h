/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_RING_H
#define LAM_RING_RING_H

/*
 * lamina/ring/ring.h: one order of events, in two shared memory objects.
 *
 * Ring, layer 0. A ring is *data* (geometry, horizon, cursor, cells: written by the producer alone,
 * mapped read-only by consumers) and *control* (consumer table, waiters, counters: written by all
 * ends). It moves events and knows nothing of messages or types.
 *
 * A process maps a ring once (struct lam_ring) and may place a producer and several consumers on
 * it (lamina/ring/producer.h, lamina/ring/consumer.h). Whoever creates a ring need not be an end.
 *
 * A forked child may go on with the mapping, and place ends of its own there. Its parent's ends are
 * not its own: to close or detach them does nothing there, any other call of theirs is wrong.
 *
 * Control plane: calls here make system calls, and are made by one thread at a time per ring.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/clock.h"
#include "lamina/base/error.h"
#include "lamina/base/histogram.h"
#include "lamina/base/lock.h"
#include "lamina/base/segment.h"
#include "lamina/ring/event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_NAME_MAX           127 /* of a ring, without the terminator */
#define LAM_RING_CONSUMER_COUNT_MAX 64
#define LAM_RING_CONSUMER_NAME_MAX  47
#define LAM_RING_AFTER_COUNT_MAX    8  /* how many others a consumer may go after */
#define LAM_RING_GROUP_COUNT_MAX    8  /* of groups that share their events, in one ring */
#define LAM_RING_PRODUCER_COUNT_MAX 64 /* of a ring for many */
#define LAM_RING_PRODUCER_NAME_MAX  47
#define LAM_RING_CELL_BYTES_DEFAULT 64
#define LAM_RING_DEPTH_DEFAULT      4096
#define LAM_RING_TYPE_NAME_MAX      95
#define LAM_RING_SCHEMA_BYTES_MAX   (1U << 20)
#define LAM_RING_FAILURE_MAX        127 /* of the reason for a failure */

/* Whether any end may sleep. A ring whose ends only spin publishes with one plain store. */
enum lam_ring_waiting {
    LAM_RING_MAY_SLEEP = 0, /* commits look for sleepers: a fence and a load */
    LAM_RING_SPIN_ONLY = 1, /* ends spin or yield */
};

enum lam_ring_producers {
    LAM_RING_ONE_PRODUCER = 0,   /* lamina/ring/producer.h */
    LAM_RING_MANY_PRODUCERS = 1, /* lamina/ring/many.h: headers lie apart, 16 more bytes a cell */
};

struct lam_ring_options {
    enum lam_backing backing;
    const char *name;      /* required: in messages, and in the store where it has a name there */
    const char *directory; /* named: NULL for /dev/shm. File: required. Huge: a hugetlbfs or NULL.
                              Anonymous, memfd: NULL */
    uint64_t depth;        /* cells, a power of two, 2 or more; 0 for 4096; one stays free */
    uint32_t cell_bytes;   /* a power of two, 32 to 65536; 0 for 64 */
    enum lam_ring_waiting waiting;
    enum lam_ring_producers producers;
    mode_t mode;   /* of both objects, 0777 at most, set whatever the umask; 0 for 0600 */
    int set_group; /* 1: both objects are given to @group before they appear */
    gid_t group;
    int bind_node; /* 1: all memory on @numa_node, or create fails; not for files */
    uint32_t numa_node;
    int keep; /* 1: go on with the ring of that name, dead or alive, if there is one; has a name */
    int hardened;          /* 1: nobody but this process can ever map data writable; no name */
    uint64_t type_hash;    /* of what the events hold; 0 for none. Attach compares it */
    const char *type_name; /* for people; NULL for none */
    const void *schema;    /* copied into control, so that tools print live messages; or NULL */
    uint32_t schema_bytes;
    uint32_t histograms; /* so many consumers have one of their latency, 15 KiB each; 64 at most */
    uint64_t first_sequence; /* where counting starts: 0, but tests start near wraps */
};

/*
 * One process's hold on a ring. Fields are private, except that a reader may look at the geometry
 * below. Kept in place by the caller until lam_ring_detach(): ends point to it.
 */
struct lam_ring {
    struct lam_segment data;
    struct lam_segment control;
    struct lam_lock creator; /* held by whoever created it: a ring with no end yet is not dead */
    uint64_t ring_id;
    uint64_t page_bytes;      /* of data: what was really got where huge pages were asked for */
    uint64_t depth;           /* cells that the ring may hold, one of them always free */
    uint64_t cell_mask;       /* mapped cells - 1 */
    uint32_t cell_shift;      /* log2 of the cell's bytes */
    uint32_t head_shift;      /* log2 of the bytes between two cells' headers */
    uint32_t event_cells_max; /* of one event: half the ring, at least 1 */
    enum lam_ring_waiting waiting;
    enum lam_ring_producers producers;
    uint64_t first_sequence;
    uint64_t type_hash;
    uint8_t *cells;
    uint8_t *heads;                  /* the events' headers: the cells, or a row of their own */
    struct lam_ring_data *data_head; /* mapped; layout is the ring's own */
    struct lam_ring_control *control_head; /* likewise */
    struct lam_histogram *histograms;      /* in control, of the first so many consumers */
    uint32_t histogram_count;
    char name[LAM_RING_NAME_MAX + 1];
};

/*
 * Make a ring and map it for writing. A name of a live ring is never replaced; what a dead one left
 * behind is, but for a file: that may hold what somebody wants. With @keep a ring of that name that
 * is there, with ends or without, is joined for writing instead, if it has this geometry and type:
 * a producer that starts again goes on where its predecessor stopped. On error nothing is left
 * behind.
 *
 * LAM_BACKING_HUGE without a directory takes small pages where huge ones cannot be had: ring's
 * page_bytes says what was got. In a hugetlbfs there are no others, and create fails.
 *
 * Returns 0, or
 *   -EINVAL an option is out of range; @error says which, what was found, what would do. With
 *           @keep: the ring that is there has another geometry
 *   -EEXIST a ring of that name is alive; @error names an end that holds it. Or a dead file. Or
 *           what has the name was never a ring's
 *   -ENOSPC the store is too full, or the memory that it is of; @error has mount, needed and free
 *           bytes. No huge pages in a hugetlbfs: how many are needed, how many free
 *   -EFBIG  this process may not make so large a file (RLIMIT_FSIZE)
 *   -EPROTO what has the name is a ring of another layout version, alive or dead: that only a
 *           lamina of its version can tell. @error has both versions. With @keep: as
 *           lam_ring_attach()
 *   -EPROTOTYPE with @keep: as lam_ring_attach()
 *   -errno  of the system call that @error names
 */
int lam_ring_create(
    struct lam_ring *ring, const struct lam_ring_options *options, struct lam_error *error);

struct lam_ring_attach_options {
    const char *name;       /* of a named ring */
    const char *directory;  /* NULL for /dev/shm */
    enum lam_access access; /* READ for consumers and observers, WRITE for the producer */
    int observe;            /* 1: map control read-only too; no end can be placed */
    uint64_t type_hash;     /* expected; 0 takes any */
    uint64_t deadline_ns;   /* wait for the ring to appear until then; 0 does not wait */
};

/*
 * Join a named ring that another process made.
 *
 * Every field of both heads is checked before it is used, and nothing is mapped by an unchecked
 * size. A file ring that was last written before the machine started anew is revived by who
 * attaches for writing: of its events those are kept, from the oldest on, whose CRC vouches for
 * them (lamina/ring/event_crc.h).
 *
 * Returns 0, or
 *   -EINVAL     the name is empty, too long or holds a '/'; there is no such access
 *   -ENOENT     no such ring at the deadline
 *   -EOWNERDEAD for reading: at the deadline nobody has revived a file ring of before the start
 *   -EPROTO     magic, version, a size or an offset is impossible, or the object is cut short;
 *               @error says which field, what was found and what was expected
 *   -EPROTOTYPE the ring carries another type; @error has both names and hashes
 *   -errno      of the system call that @error names
 */
int lam_ring_attach(
    struct lam_ring *ring, const struct lam_ring_attach_options *options, struct lam_error *error);

/*
 * Join a ring by descriptors of its two objects, received over a Unix socket, say
 * (lamina/ring/pass.h). The descriptors stay the caller's. @options: name, directory and deadline
 * are not used. Objects that their giver could cut short are refused: then a look at them would be
 * a SIGBUS.
 *
 * Returns as lam_ring_attach(), or
 *   -EPROTO an object is not sealed against shrinking: no memory file, or one of others' making
 *   -EPERM  for writing, and the ring is hardened: its maker alone produces
 */
int lam_ring_attach_fds(struct lam_ring *ring, int data_fd, int control_fd,
    const struct lam_ring_attach_options *options, struct lam_error *error);

/*
 * Lend the descriptors of both objects, to pass them on. They stay the ring's, until detach.
 * @data_fd is writable where the ring was created or attached for writing.
 */
void lam_ring_fds(const struct lam_ring *ring, int *data_fd, int *control_fd);

/* Unmap. Its ends must be detached before. The objects stay. Safe on a ring that failed to open. */
void lam_ring_detach(struct lam_ring *ring);

/*
 * Remove the names and unmap. Who is attached keeps its memory; nobody new can come. Names that are
 * another ring's by now are left alone.
 *
 * Returns 0, or -EBUSY: another process is about to remove them, or -errno of lock and unlink; the
 * ring is unmapped all the same.
 */
int lam_ring_destroy(struct lam_ring *ring);

/* How many cells an event of @payload_bytes takes, its header included. Any thread. */
static inline uint64_t lam_ring_event_cells(const struct lam_ring *ring, uint64_t payload_bytes)
{
    uint64_t round_up = LAM_EVENT_HEADER_BYTES + ((UINT64_C(1) << ring->cell_shift) - 1);

    return (payload_bytes + round_up) >> ring->cell_shift;
}

/* The largest payload of one event, in bytes: half the ring, less the header. Any thread. */
static inline uint64_t lam_ring_payload_bytes_max(const struct lam_ring *ring)
{
    return ((uint64_t)ring->event_cells_max << ring->cell_shift) - LAM_EVENT_HEADER_BYTES;
}

/*
 * The schema bytes that the creator gave, borrowed until detach.
 *
 * Returns their count, 0 for none, or -EPROTO where control says something impossible.
 */
int64_t lam_ring_schema(const struct lam_ring *ring, const void **schema);

/* The type name that the creator gave, copied to @text and terminated. Any thread. */
void lam_ring_type_name(const struct lam_ring *ring, char text[LAM_RING_TYPE_NAME_MAX + 1]);

/*
 * Bytes of shared memory that a ring of these options takes, both objects.
 *
 * Returns 0, or -EINVAL as lam_ring_create() would.
 */
int lam_ring_bytes(
    const struct lam_ring_options *options, uint64_t *total_bytes, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
