/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SIM_H
#define LAM_SEQUENCER_SIM_H

/*
 * sim.h: the env of simulation: one thread, one queue of events, one seed; the same seed gives the
 * same run to the bit.
 *
 * A call takes effect when its time has come; what is in flight together comes in any order. A file
 * has two contents: what the process sees, and what is on the disk. Between them lie the sectors
 * that were written and not synced, and between what is listed and what the folder has on the disk
 * the names that were not: a power cut keeps any of them. A failed sync keeps some, forgets the
 * others, and the process goes on seeing what it wrote, as with a kernel.
 */

#include "env/env.h"

#define SIM_SECTOR     512
#define SIM_NAME_BYTES 64
#define SIM_NAMES_MAX  256

enum sim_phase {
    SIM_BEFORE, /* the call did nothing */
    SIM_HALF,   /* it did a part: some of its sectors, half of its room */
    SIM_AFTER,  /* it did all, and nobody was told */
};

/* What of the unsynced a power cut leaves. */
enum sim_keep {
    SIM_KEEP_NONE,
    SIM_KEEP_ALL,
    SIM_KEEP_SOME,  /* any of it, by the seed */
    SIM_KEEP_MASK,  /* names and sizes; of sectors those whose bit is set in sim->keep_mask */
    SIM_KEEP_CACHE, /* no power cut: the process alone was killed */
};

/* What is to go wrong. Counts are of calls from 1 on, of that kind or of all; 0: never. */
struct sim_faults {
    uint64_t crash_at; /* of all calls: power ends there, in @crash_phase */
    enum sim_phase crash_phase;
    uint64_t fail_at[LAM_ENV_CALLS]; /* the n-th of that kind fails with @fail_error */
    uint64_t short_at;               /* the n-th write writes half */
    uint64_t lose_at;                /* the n-th write is said to be done, and is not */
    uint64_t misdirect_at;           /* the n-th write goes elsewhere in its file */
    int fail_error;                  /* negative errno */
    uint64_t slow_ns;                /* added to one call of eight, at random */
    uint64_t room_bytes;             /* of the disk; 0: no bound */
};

struct sim_sector {
    uint64_t number;
    uint8_t bytes[SIM_SECTOR];
};

struct sim_file {
    uint8_t *seen, *disk; /* @capacity bytes each, zeros behind the sizes */
    uint64_t seen_bytes, disk_bytes, capacity;
    struct sim_sector *unsynced; /* in the order of their writes */
    uint64_t unsynced_count, unsynced_capacity;
    int is_locked;
};

struct sim_name {
    char text[SIM_NAME_BYTES]; /* empty: none */
    int file;
};

/* A change of the folder that was not synced: one name goes, one comes, or both at once. */
struct sim_change {
    char gone[SIM_NAME_BYTES];
    struct sim_name come;
};

struct sim {
    struct lam_env env; /* first: it is what is passed on */
    uint64_t now_ns;
    uint64_t random_state;
    struct sim_faults faults;
    uint64_t calls, calls_of[LAM_ENV_CALLS];
    uint64_t trace; /* a hash of all calls, their times and results */
    uint64_t keep_mask;
    int is_off; /* the power: whatever is started fails, and changes nothing */
    int is_awake;
    struct lam_env_io *queue; /* in flight, by their time */
    struct sim_file *files;
    int file_count;
    struct sim_name seen[SIM_NAMES_MAX], disk[SIM_NAMES_MAX];
    struct sim_change changes[SIM_NAMES_MAX];
    int change_count;
};

/* An empty disk. */
void sim_init(struct sim *sim, uint64_t seed);

void sim_fini(struct sim *sim);

/*
 * The process ends, with all its open files and calls in flight, and what the disk has is what the
 * next one will see. No faults are left, and no poison.
 */
void sim_restart(struct sim *sim, enum sim_keep keep);

/* 64 bits of the seed's. */
uint64_t sim_random(struct sim *sim);

/* For tests that look at the disk, or change it behind everybody's back. NULL: no such name. */
struct sim_file *sim_find(struct sim *sim, const char *name);

/* How many sectors a power cut could lose now. */
uint64_t sim_unsynced(const struct sim *sim);

/* The disk's content in @to becomes that in @from, files and names. */
void sim_copy_disk(struct sim *to, const struct sim *from);

/* For sim.c: the effect of one call. Returns its result. */
int64_t sim_call(struct sim *sim, const struct lam_env_io *io, enum sim_phase phase);

#endif
