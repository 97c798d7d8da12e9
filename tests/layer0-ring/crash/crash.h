/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_CRASH_H
#define LAM_TEST_CRASH_H

/*
 * crash.h: one round of crash_labels.c: a label, a seed, a scene in which a peer dies there.
 *
 * A round is a process of its own, with a watchdog above it. It holds ends, and forks the peer that
 * dies and others that live. What they tell one another is on a shared board.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "processes.h"
#include "ring_stream.h"

#define CRASH_DEPTH      32
#define CRASH_EVENTS_MAX 16384               /* of a round whose events are counted one by one */
#define CRASH_PATIENCE   (20 * LAM_NS_PER_S) /* bounds a test that hangs; nothing is timed by it */

/* Which way a scene goes, where a label needs one. */
enum crash_flag {
    CRASH_SLEEPY = 1,        /* who waits for events sleeps at once, and events come slowly */
    CRASH_FULL = 2,          /* who waits for room sleeps at once, and room comes slowly */
    CRASH_PREDECESSOR = 4,   /* somebody died in the peer's place before it came */
    CRASH_DEAD_CONSUMER = 8, /* the ring waits for a dead consumer */
    CRASH_IMPATIENT = 16,    /* and for one that may be evicted */
    CRASH_REQUIRED = 32,     /* its producer cannot do without a consumer, which is dead */
    CRASH_FAILS = 64,        /* the producer's end is a failure, not a close */
    CRASH_FILE = 128,        /* the ring is in files */
    CRASH_UNNAMED = 256,     /* the peer has no name to resume by */
    CRASH_LOSSY = 512,
    CRASH_LEADS = 1024,  /* others go after the peer */
    CRASH_FOUNDS = 2048, /* the peer is the first of its group */
    CRASH_ALONE = 4096,  /* nobody else does what is to be done before the peer comes */
    CRASH_LEAVES = 8192, /* the peer leaves soon */
};

struct crash_case {
    const char *label;
    void (*scene)(void);
    unsigned visits; /* about how often a peer comes by: the visit that kills is drawn from these */
    unsigned flags;
};

extern const struct crash_case crash_cases[];
extern const size_t crash_case_count;

struct crash_board {
    lam_atomic_u64 visits;    /* how often the peer came by its label */
    lam_atomic_u64 killed;    /* 1: it died there */
    lam_atomic_u64 bystander; /* 1: a child that it forked there lives on */
    lam_atomic_u64 ready;     /* 1: it is on the ring */
    lam_atomic_u64 begun;     /* a producer's: events below it are published, or about to be */
    lam_atomic_u64 committed; /* events below it are published */
    lam_atomic_u64 has_place; /* a consumer's: 1 once the next two are */
    lam_atomic_u64 releasing; /* events below it are released, or about to be */
    lam_atomic_u64 released;  /* events below it are released */
    lam_atomic_u64 total;     /* events of the whole round, for readers beside; 0 not known yet */
    lam_atomic_u32 by_peer[CRASH_EVENTS_MAX]; /* a member's: see scene_group.c */
    lam_atomic_u32 by_others[CRASH_EVENTS_MAX];
};

/* The round that this process and its children are of. */
struct crash_round {
    const struct crash_case *of;
    uint64_t seed;
    uint64_t random; /* drawn from the seed; its bits choose between ways */
    uint64_t visit;  /* the peer dies at this one */
    uint64_t first;  /* sequence that the ring starts at */
    struct crash_board *board;
    char directory[64]; /* of this worker's; empty before and after */
    char name[64];
    int leash[2]; /* bystanders live until its end is closed */
};

extern struct crash_round crash;
extern struct lam_ring crash_ring; /* the round's */
extern struct lam_error crash_error;

static inline int crash_is(unsigned flag)
{
    return (crash.of->flags & flag) != 0;
}

static inline uint64_t crash_soon(void)
{
    return lam_deadline_after_ns(CRASH_PATIENCE);
}

static inline int crash_at(const char *label)
{
    return strcmp(crash.of->label, label) == 0;
}

static inline int crash_starts_with(const char *prefix)
{
    return strncmp(crash.of->label, prefix, strlen(prefix)) == 0;
}

/* peer.c: who dies, and who was forked beside it. */
pid_t crash_start_peer(void (*work)(void));
pid_t crash_start_armed(void (*work)(void), const char *label, uint64_t visit);
pid_t crash_start_other(void (*work)(void)); /* not armed */
void crash_die(void);                        /* by SIGKILL, at once */
int crash_has_ended(pid_t child, int *how);  /* 0, or 1 and its code, or 128 and the signal */
void crash_check_end(int how);               /* the peer's: killed at its label, or done */
void crash_nap_us(uint64_t microseconds);
void crash_begin_round(void);
void crash_end_round(void); /* nobody of the round lives on */

/* stream.c: events whose every byte follows from their number. */
struct crash_reader {
    struct lam_ring_consumer end;
    uint64_t next; /* number of the next event; UINT64_MAX not known yet */
};

/* Publish event @number, or a batch from it on. Returns how many, 0 no room, or -errno. */
int crash_publish(struct lam_ring_producer *producer, uint64_t number, uint64_t deadline_ns);
/* The payload of event @number; its bytes; whether an event is that one. */
uint32_t crash_event_bytes(uint64_t number);
void crash_fill(void *payload, uint64_t number, uint64_t sequence);
void crash_check_event(const struct lam_event *event, uint64_t number);
/* Take one event, check and release it. Returns 0 or -errno of the peek. */
int crash_read(struct crash_reader *reader, uint64_t deadline_ns);
/* Take what is there. Returns the answer when there was no more: 0 or -errno. */
int crash_read_all(struct crash_reader *reader);
/* Read to board->total in a process of its own, whatever becomes of producers. */
void crash_read_beside(void);

/* leaks.c: what a round must not leave. */
int crash_count_fds(void);
void crash_check_ring(const struct lam_ring *ring); /* no lock but the maker's, all places free */
void crash_check_directory(void);                   /* nothing but what clean takes away */
void crash_check_places(struct lam_ring *ring);
unsigned crash_clean(int remove, int files); /* how many were found to be dead or half */
unsigned crash_count_files(void);

/* Make the round's ring. */
void crash_make_ring(enum lam_ring_producers producers);
void crash_destroy_ring(void);
/* As whoever comes to the ring does: by the mapping that it has inherited, or by name. */
struct lam_ring *crash_attach(void);

void crash_scene_producer(void);
void crash_scene_consumer(void);
void crash_scene_group(void);
void crash_scene_many(void);
void crash_scene_create(void);
void crash_scene_clean(void);
void crash_scene_revive(void);
void crash_scene_poison(void);

#endif
