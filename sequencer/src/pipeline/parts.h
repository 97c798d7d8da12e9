/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_PIPELINE_PARTS_H
#define LAM_SEQUENCER_PIPELINE_PARTS_H

/*
 * parts.h: what the stages hold. Each struct is its stage's alone, but for struct node's own words.
 */

#include "journal/journal.h"
#include "machine/machine.h"
#include "pipeline/entry.h"
#include "pipeline/history.h"
#include "pipeline/map.h"
#include "pipeline/node.h"
#include "pipeline/shared.h"
#include "protocol/greeting.h"
#include "snapshot/snapshot.h"

/* Control entries that wait for their turn at the writer. */
#define CONTROL_PENDING_MAX 4096

enum reader_phase {
    READER_EPOCH,   /* the record of this process comes first */
    READER_STARTUP, /* then the events of the application's that come before all others */
    READER_SERVING,
    READER_ENDED,
};

enum client_state {
    CLIENT_GREETING, /* it has not said who it is */
    CLIENT_RESUMING, /* whether it may is asked */
    CLIENT_OPEN,
    CLIENT_SUBSCRIBED,
    CLIENT_ENDING, /* what it sends is dropped */
};

/* A connection, as the reader knows it. */
struct client {
    uint64_t connection; /* 0: nobody */
    uint64_t handle;
    uint64_t generation;
    uint64_t ordinal; /* of the last that was taken */
    uint64_t session;
    uint64_t heard_ns, told_ns;
    enum client_state state;
    uint32_t role;
    int is_held;
    int has_verdict; /* the greeting has one that is not carried out yet */
    uint8_t identity[32];
    struct greeting greeting;
};

struct reader {
    struct stage stage; /* first in each stage */
    struct node *node;
    struct lam_env *env;
    struct lam_framed_sender input, control;
    enum reader_phase phase;
    uint32_t startup_index;
    uint64_t next_sequence, last_time_ns, time_offset_ns;
    uint64_t tick_ns;      /* when the next one is due */
    uint64_t beat_ns;      /* when to look for who is silent */
    uint64_t digest_at;    /* the sequence from which on a digest is due */
    int is_digest_due;     /* one was put, and not compared */
    uint64_t control_sent; /* entries */
    struct transport_event event;
    int has_event;
    unsigned turn; /* of the transports */
    struct greeting_rules rules;
    struct client *clients;
    struct map by_handle;
    uint32_t waiting; /* clients that are held */
};

struct journaling {
    struct stage stage;
    struct node *node;
    struct intake input;
    struct journal journal;
    struct journal_report report; /* of its opening */
    int has_journal;
};

struct application {
    struct stage stage;
    struct node *node;
    struct intake input;
    struct lam_framed_sender output;
    struct machine *machine;
    int is_applied;      /* the entry at hand; its items are on their way */
    uint32_t item_index; /* the next one of them */
};

/* Something of the reader's that waits for its turn. */
struct pending {
    struct control_entry entry;
    uint32_t bytes;
    uint32_t next; /* behind it, of the same connection, or free; 0: none */
    uint8_t data[CONTROL_BYTES_MAX];
};

/* A connection, as the writer knows it. */
struct peer {
    uint64_t connection; /* 0: nobody */
    uint64_t handle;
    struct transport *transport;
    uint64_t answered;
    uint32_t first, last; /* pending */
    int is_closed;        /* towards the transport; its end has yet to come */
    int is_subscriber;
    uint64_t from_sequence;
    uint64_t cursor; /* in the history */
};

/* The writer's side of all connections: of response and publisher, and so of one thread. */
struct writer {
    struct node *node;
    struct peer *peers;
    struct pending *pending; /* the first one is none */
    uint32_t pending_free;
    uint64_t control_done;
    uint32_t subscribers;
    uint64_t closed_ns; /* when one was closed last; 0: never */
    uint64_t sent, cut; /* frames; connections that did not read */
};

struct response {
    struct stage stage;
    struct node *node;
    struct intake output, control;
    struct writer writer;
};

struct publisher {
    struct stage stage;
    struct node *node;
    struct intake output;
    struct history history;
};

enum shadow_phase {
    SHADOW_APPLIES, /* what is durable */
    SHADOW_ASKS,    /* the journal for a place to stop at; it stays where it is */
    SHADOW_ARRIVES, /* applies up to that place, and saves what it has there */
};

struct shadow {
    struct stage stage;
    struct node *node;
    struct intake input;
    struct machine *machine;
    enum shadow_phase phase;
    uint64_t snapshot_at; /* the sequence from which on one is due; UINT64_MAX: never */
    struct machine_image image;
    struct snapshot_writer *writer; /* NULL: none is written */
    uint64_t snapshots, snapshots_failed;
    struct lam_error snapshot_error; /* of the last one that failed: the node goes on */
};

struct node {
    struct node_config config;
    struct lam_sequencer_config settings;
    struct machine_config machine_config;
    const struct lam_app *app;
    struct lam_ring input, output, control;
    unsigned rings, intakes, senders; /* how many of them are there: rings.c */

    /* Shared: see shared.h. */
    lam_atomic_u64 durable;
    lam_atomic_u64 digest_sequence;
    uint8_t digest[BLAKE3_BYTES];
    lam_atomic_u64 control_done;
    lam_atomic_u32 wants_place; /* 1: by the shadow, 0: by the journal, when it is there */
    struct snapshot_place place;
    lam_atomic_u64 spared; /* all before it is in both snapshots */
    lam_atomic_u32 is_full;
    lam_atomic_u32 is_stopping;
    lam_atomic_u32 is_done[NODE_STAGES];
    struct place *places;

    struct reader reader;
    struct journaling journaling;
    struct application application;
    struct response response;
    struct publisher publisher;
    struct shadow shadow;
};

/* rings.c: the three rings and their ends. Returns 0, or negative errno with @error. */
int rings_open(struct node *node, struct lam_error *error);
void rings_close(struct node *node);

/* recover.c: machines and journal, from what the folder has. Likewise. */
int node_recover(struct node *node, struct lam_error *error);

/* Each stage's own: init when rings, machines and journal are there; -ENOMEM. */
int reader_init(struct reader *reader, struct node *node);
void reader_fini(struct reader *reader);
void journaling_init(struct journaling *journaling, struct node *node);
void application_init(struct application *application, struct node *node);
int response_init(struct response *response, struct node *node);
void response_fini(struct response *response);
void publisher_init(struct publisher *publisher, struct node *node);
void shadow_init(struct shadow *shadow, struct node *node);
void shadow_fini(struct shadow *shadow);

/* snapshots.c: what the shadow does about them. Returns how much was done. */
unsigned shadow_snapshot(struct shadow *shadow);

/* Whose connection that is. */
static inline struct transport *transport_of(const struct node *node, uint64_t handle)
{
    const struct node_config *config = &node->config;
    unsigned i = 0;

    while (i + 1 < config->transport_count && config->transports[i]->number != handle >> 56)
        i++;
    return config->transports[i];
}

/* The stage has ended in order. Returns 0. */
static inline int stage_done(struct node *node, enum node_stage which)
{
    lam_store_release(&node->is_done[which], 1);
    return 0;
}

static inline int stage_is_done(const struct node *node, enum node_stage which)
{
    return lam_load_acquire(&node->is_done[which]) != 0;
}

/*
 * The gate: may leave what was made of all up to @sequence? One function, for the one policy that
 * there is now, and for those of several nodes.
 */
static inline int gate_is_open(const struct node *node, uint64_t sequence)
{
    return node->settings.policy == LAM_SEQUENCER_NONE ||
           sequence < lam_load_acquire(&node->durable);
}

#endif
