/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_SNAPSHOTS_H
#define LAM_TESTS_SEQUENCER_SNAPSHOTS_H

/*
 * snapshots.h: snapshots in a simulated world: what a state at a sequence is made of, and how one
 * is written and found again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/names.h"
#include "simulation/sim.h"
#include "snapshot/snapshot.h"

#define SNAPSHOTS_JOURNAL 0x1234

struct snapshots {
    struct sim sim;
    uint64_t count; /* bytes of each */
    struct lam_error error;
    unsigned damaged; /* by the last load */
};

static inline void snapshots_begin(struct snapshots *all, uint64_t seed, uint64_t count)
{
    memset(all, 0, sizeof(*all));
    sim_init(&all->sim, seed);
    all->count = count;
}

static inline struct snapshot_place snapshots_place(uint64_t next_sequence)
{
    struct snapshot_place place = {.journal = SNAPSHOTS_JOURNAL,
        .epoch = 3,
        .next_sequence = next_sequence,
        .app_version = 7,
        .app_name = "counter"};

    memset(place.chain, (int)next_sequence, sizeof(place.chain));
    return place;
}

static inline uint8_t *snapshots_content(uint64_t next_sequence, uint64_t count)
{
    uint8_t *bytes = malloc(count + 1);

    for (uint64_t i = 0; bytes != NULL && i < count; i++)
        bytes[i] = (uint8_t)(next_sequence * 31 + i + (i >> 12));
    return bytes;
}

/* Returns -EALREADY: it is there, or what the writer failed with. @other: may be NULL. */
static inline int snapshots_write(struct snapshots *all, uint64_t next_sequence, uint64_t *other)
{
    struct snapshot_place place = snapshots_place(next_sequence);
    uint8_t *bytes = snapshots_content(next_sequence, all->count);
    struct snapshot_writer *writer;
    int result = snapshot_writer_create(&writer, &all->sim.env, &place, bytes, all->count);

    while (result == 0 || result == 1) {
        result = snapshot_writer_step(writer, &all->error);
        if (result == 0)
            all->sim.env.ops->wait(&all->sim.env, UINT64_MAX);
    }
    if (other != NULL)
        *other = snapshot_writer_other(writer);
    snapshot_writer_destroy(writer);
    free(bytes);
    return result;
}

/*
 * Returns the sequence of the one that is found, 0 where there is none, INT64_MAX where its bytes
 * are not those that were written, or negative errno.
 */
static inline int64_t snapshots_load(struct snapshots *all, uint64_t next_sequence_max)
{
    struct snapshot_place wanted = snapshots_place(0), place;
    struct snapshot_loaded loaded;
    int result = snapshot_load(&all->sim.env, &wanted, next_sequence_max, &loaded, &all->error),
        is_right;
    uint8_t *expected;

    all->damaged = loaded.damaged;
    if (result != 1)
        return result;
    place = snapshots_place(loaded.place.next_sequence);
    expected = snapshots_content(place.next_sequence, all->count);
    is_right = loaded.count == all->count && memcmp(loaded.bytes, expected, loaded.count) == 0 &&
               memcmp(&loaded.place, &place, sizeof(place)) == 0;
    free(expected);
    free(loaded.bytes);
    return is_right ? (int64_t)place.next_sequence : INT64_MAX;
}

/* How many names there are of snapshots, finished or not. */
static inline unsigned snapshots_names(struct snapshots *all)
{
    unsigned count = 0;

    for (int i = 0; i < SIM_NAMES_MAX; i++)
        count += strncmp(all->sim.seen[i].text, "snapshot-", 9) == 0;
    return count;
}

static inline struct sim_file *snapshots_file(struct snapshots *all, uint64_t next_sequence)
{
    char name[NAME_BYTES];

    name_snapshot(name, SNAPSHOTS_JOURNAL, next_sequence);
    return sim_find(&all->sim, name);
}

#endif
