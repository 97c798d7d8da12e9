/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FRAMED_FRAMES_CRASH_H
#define LAM_TEST_FRAMED_FRAMES_CRASH_H

/*
 * frames_crash.h: one round of frames_crash.c: a label, a seed, a peer that dies there; and
 * messages that follow from their sender and their number.
 *
 * Number n of a sender is of a size and a make that n alone tells: in place, with extensions, in
 * frames, or in frames and given up midway. Its correlation says who and which. So a receiver knows
 * of each what has to come of it.
 */

#include "channel.h"
#include "processes.h"

#define CRASH_DEPTH   32
#define CRASH_SENDERS 3
#define CRASH_COUNT   60 /* messages of one sender's life */

struct crash_case {
    const char *label;
    void (*scene)(void);
    unsigned visits; /* the visit that kills is drawn from so many */
};

/* Shared by all processes of a round. Index 0 is the peer, who may die. */
struct crash_board {
    lam_atomic_u64 killed;               /* 1: the peer; a sender, */
    lam_atomic_u64 died_at;              /* at this message of its */
    lam_atomic_u64 begun[CRASH_SENDERS]; /* messages below it are sent or given up; it is begun */
    lam_atomic_u64 taken;                /* a receiver's: messages below it are released */
};

struct crash_round {
    const struct crash_case *of;
    uint64_t seed;
    uint64_t visit;
    uint64_t first;
    struct crash_board *board;
};

extern struct crash_round crash;
extern struct lam_ring crash_ring;

static inline uint64_t crash_soon(void)
{
    return lam_deadline_after_ns(20 * LAM_NS_PER_S); /* bounds a test that hangs */
}

/* What message @number is. */
static inline uint64_t crash_bytes(uint64_t number)
{
    return number % 4 < 2 ? number * 37 % 700 : 700 + number * 211 % 5000;
}

static inline int crash_is_cut(uint64_t number)
{
    return number % 7 == 3 && crash_bytes(number) > 1200;
}

/* Send numbers from @number to @end of sender @who, as one sender or as one of many. */
void crash_send_one(struct lam_framed_sender *sender, uint64_t number, uint64_t end);
void crash_send_many(struct lam_framed_many *sender, unsigned who, uint64_t number, uint64_t end);

/* What a receiver has seen of each sender. */
struct crash_reader {
    struct lam_framed_receiver end;
    uint64_t next[CRASH_SENDERS];
    uint32_t takes;  /* 1: into memory of its own */
    uint32_t is_new; /* 1: it came midway: what comes first of each sender is right */
};

/*
 * Take one message, or hear of one that is lost, and check that it is the next of its sender's.
 * Returns 0, or an end of the channel.
 */
int crash_read(struct crash_reader *reader, uint64_t deadline_ns);

/* Fork @work; the first one is armed: it dies at the round's label. */
pid_t crash_start(void (*work)(void), int is_armed);

void crash_scene_sender(void);
void crash_scene_quicker(void);
void crash_scene_many(void);
void crash_scene_receiver(void);

#endif
