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
 *
 * The disk and all of struct sim belong to one process, the node. Others, its clients, are hosts:
 * each has an env of its own over the same time, queue and network, so that one loop can run all.
 * Bytes of a connection are on their way for a while, in order, and wait in a bounded buffer for
 * each direction; what goes wrong with them goes wrong for one connection at a time. An end of a
 * process ends its side of its connections alone: the other side sees an end, or a reset, later.
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

/* What the network may do. "One in": of so many calls, at random; 0: never. */
struct sim_net {
    uint64_t delay_ns;       /* of bytes on their way, at most; 0: 100 us */
    uint64_t buffer_bytes;   /* sent and not taken, of one direction; 0: 64 KiB */
    uint32_t partial_one_in; /* sends and receives of fewer bytes than could be */
    uint32_t refuse_one_in;  /* connects */
    uint32_t reset_one_in;   /* sends and receives: the connection breaks, both ways */
    uint32_t cut_one_in;     /* sends: their direction stands still for @cut_ns, no other does */
    uint64_t cut_ns;
};

/* A call in flight. */
struct sim_entry {
    struct lam_env_io *io;
    uint64_t due_ns;     /* UINT64_MAX: when something happens to its file */
    int64_t result;      /* where it is decided */
    unsigned owner : 31; /* 0: the node */
    unsigned is_decided : 1;
};

struct sim_connection;
struct sim_listener;

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
    uint64_t ahead_ns;       /* of the node's clock before @now_ns */
    struct sim_entry *queue; /* in flight, by their time */
    unsigned queue_count, queue_capacity;
    struct sim_net net; /* stays as it is by a restart */
    struct sim_listener *listeners;
    struct sim_connection *connections;
    unsigned listener_count, connection_count;
    unsigned hosts;
    struct sim_file *files;
    int file_count;
    struct sim_name seen[SIM_NAMES_MAX], disk[SIM_NAMES_MAX];
    struct sim_change changes[SIM_NAMES_MAX];
    int change_count;
};

/* A process beside the node, with a network and no disk. */
struct sim_host {
    struct lam_env env; /* first: it is what is passed on */
    struct sim *sim;
    uint64_t ahead_ns;
    unsigned owner;
    int is_awake;
};

/* An empty disk. */
void sim_init(struct sim *sim, uint64_t seed);

void sim_fini(struct sim *sim);

/*
 * The node ends, with all its open files, connections and calls in flight, and what the disk has is
 * what the next one will see. No faults are left but those of the network, and no poison. Calls
 * are forgotten, not ended: their memory may be gone.
 */
void sim_restart(struct sim *sim, enum sim_keep keep);

/* A host of @sim, which outlives it. */
void sim_host_init(struct sim_host *host, struct sim *sim);

/* It ends as the node does by sim_restart; the next process has the same env. */
void sim_host_restart(struct sim_host *host);

/* The clock of @env, the node's or a host's, jumps: as if the process had been off the CPU. */
void sim_jump(struct lam_env *env, uint64_t ns);

/* Connection @file of this side breaks now; the other side hears of it later. */
void sim_reset(struct sim *sim, int file);

/*
 * What is sent at this side of connection @file stands still until @until_ns, of sim->now_ns;
 * UINT64_MAX: until this is called again.
 */
void sim_cut(struct sim *sim, int file, uint64_t until_ns);

/* 64 bits of the seed's. */
uint64_t sim_random(struct sim *sim);

/* For tests that look at the disk, or change it behind everybody's back. NULL: no such name. */
struct sim_file *sim_find(struct sim *sim, const char *name);

/* How many sectors a power cut could lose now. */
uint64_t sim_unsynced(const struct sim *sim);

/* The disk's content in @to becomes that in @from, files and names. */
void sim_copy_disk(struct sim *to, const struct sim *from);

#endif
