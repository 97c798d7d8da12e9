/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SIM_PARTS_H
#define LAM_SEQUENCER_SIM_PARTS_H

/*
 * sim_parts.h: what the files of the simulation have from each other.
 */

#include "simulation/sim.h"

/* Files of the disk are numbered from 0, listeners and connections from here. */
#define SIM_LISTENERS   500000
#define SIM_CONNECTIONS 1000000 /* two numbers each, the one that connected first */

/* A call goes on in the queue: its next try is due then. */
#define SIM_LATER INT64_MIN

struct sim_listener {
    char address[LAM_ENV_ADDRESS_BYTES];
    unsigned owner;
    int is_open;
};

/* One direction: a ring of bytes, and when which of them arrive. */
struct sim_way {
    uint8_t *bytes;
    uint64_t capacity, sent, taken;
    struct sim_arrival {
        uint64_t upto, due_ns;
    } * arrivals; /* in order, from @arrival_first on */
    unsigned arrival_first, arrival_count, arrival_capacity;
    uint64_t last_due_ns; /* nothing arrives before what was sent before it */
    uint64_t cut_until_ns;
    int is_ended; /* nothing is sent any more; the end arrives at @last_due_ns */
};

struct sim_connection {
    struct sim_way ways[2]; /* what side 0, or 1, sends */
    struct sim_end {
        uint64_t reset_ns; /* from then on it is broken for this side */
        unsigned owner;
        int is_closed, is_deaf; /* closed by its process; receives no more */
    } ends[2];
    int listener, is_accepted;
};

/* The effect of one call on the disk. Returns its result. */
int64_t sim_call(struct sim *sim, const struct lam_env_io *io, enum sim_phase phase);

/* @entry goes into the queue, by its time. */
void sim_enqueue(struct sim *sim, struct sim_entry entry);

/* The first of them, where there is one. */
struct sim_entry sim_dequeue(struct sim *sim);

/* @io, in flight, has its result now. */
void sim_decide(struct sim *sim, const struct lam_env_io *io, int64_t result);

/* All calls of @file but closes are decided. */
void sim_decide_file(struct sim *sim, int file, int64_t result);

/* All calls of @owner are decided. */
void sim_decide_owner(struct sim *sim, unsigned owner, int64_t result);

/* Those that wait for something to happen to @file are tried again. */
void sim_try_again(struct sim *sim, int file);

/* The calls of @owner are forgotten. */
void sim_forget(struct sim *sim, unsigned owner);

/* A try of a network call; where the result is SIM_LATER, @entry says when. */
int64_t sim_net_call(struct sim *sim, struct sim_entry *entry);

/* A file of the network is closed. Returns 0 or -EBADF. */
int64_t sim_net_close(struct sim *sim, int file);

/* As lam_env_ops.peer. */
int sim_net_peer(struct sim *sim, int file, struct lam_env_peer *peer);

/* All files of the network that @owner has are closed, in one way or the other. */
void sim_net_end(struct sim *sim, unsigned owner);

void sim_net_free(struct sim *sim);

/* How long bytes are on their way. */
uint64_t sim_net_delay(struct sim *sim);

/* One in @count, at random. */
int sim_net_happens(struct sim *sim, uint32_t count);

/* Up to @count bytes go out. Returns how many: 0 where there is no room. */
int64_t sim_way_send(struct sim *sim, struct sim_way *way, const void *bytes, uint64_t count);

/*
 * Up to @count bytes that have arrived. Returns how many; 0 where none has, with in *@due_ns when
 * some will have.
 */
int64_t sim_way_take(
    struct sim *sim, struct sim_way *way, void *bytes, uint64_t count, uint64_t *due_ns);

#endif
