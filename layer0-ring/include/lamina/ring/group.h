/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_GROUP_H
#define LAM_RING_GROUP_H

/*
 * lamina/ring/group.h: consumers that share the work.
 *
 * Ring, layer 0. The members of a group see each event once among them: whoever is free takes the
 * next. Toward the producer a group is one gating consumer, which holds back what is not taken and
 * what its members have not released. When a member dies, another one is handed what it had taken
 * and not released: those events may be seen twice, all others are seen once.
 *
 * All calls on a member from one thread at a time. Peeks and releases allocate nothing, and make
 * no system call, except to wake a producer that sleeps, and every 8 ms to see who lives.
 */

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_ring_member_options {
    const char *group;         /* which; made by its first member, gone with its last */
    const char *name;          /* of this member, as a consumer's; NULL for the pid and a number */
    enum lam_ring_start start; /* where the group begins, when this is its first: HEAD or OLDEST */
    uint32_t events_max;       /* taken at once, where there are so many; 0 for 1; 2^20 at most */
    enum lam_wait_mode wait;   /* while there is nothing; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;          /* the spin window, ns; 0 as of a consumer */
};

struct lam_ring_member {
    /* Fields are private. */
    struct lam_ring_consumer consumer; /* first: its waits find the member by it */
    struct lam_lock heir;              /* of a dead member's entry, while we finish what it had */
    uint64_t base;                     /* where the ring's sequences start */
    uint64_t at;                       /* next event to lend, of those taken */
    uint64_t end;                      /* behind those taken */
    uint64_t released;                 /* below it all of those taken are released */
    uint64_t group_state;              /* the group's state word while it is ours */
    uint64_t look_at_ns;               /* when to see next whether the others live */
    uint32_t group;                    /* its number in the ring */
    uint32_t held; /* the entry that holds what we took: ours, or a dead one's */
    uint32_t events_max;
    uint32_t streak;
};

/*
 * Join the group of @options on @ring, kept until lam_ring_member_detach(). Into a group all of
 * whose members died, too: it goes on where they stopped, unless the producer has given it up.
 *
 * Returns 0, an error of lam_ring_consumer_attach(), or
 *   -EINVAL the group's name is missing or too long, the start is neither HEAD nor OLDEST,
 *           events_max is above 2^20, or the ring is one for many producers
 *   -EUSERS the ring has eight other groups
 *   -EBUSY  somebody else has been joining or leaving for a second: it is stopped
 */
int lam_ring_member_attach(struct lam_ring_member *member, struct lam_ring *ring,
    const struct lam_ring_member_options *options, struct lam_error *error);

/*
 * Leave. What was taken and not released goes to another member. With the last one the group ends,
 * and holds nobody any longer.
 */
void lam_ring_member_detach(struct lam_ring_member *member);

/*
 * Take the next event that no other member has, without waiting. Up to events_max may be peeked one
 * after the other; they stay borrowed until released, all of them before more are taken. Lock-free.
 *
 * Returns 1 and fills *@event; 0 there is none, or the ring is closed and others hold some; or
 *   -EPIPE           the producer closed the ring, and the members have released the last event
 *   -ECANCELED       the producer failed the ring, and the last event was taken
 *   -EOWNERDEAD      the producer died, and the last event was taken. A later call may succeed
 *   -ESTALE          the group was given up: its words were impossible
 *   -EPROTO          a dead member's words are impossible: what it had is given up
 *   -ENOTRECOVERABLE the ring is poisoned
 */
int lam_ring_member_try_peek(struct lam_ring_member *member, struct lam_event *event);

/*
 * The same, waiting by the ladder until @deadline_ns.
 *
 * Returns 0 with an event, an error of lam_ring_member_try_peek(), or
 *   -ETIMEDOUT there was none
 */
int lam_ring_member_peek_until(
    struct lam_ring_member *member, uint64_t deadline_ns, struct lam_event *event);

/* Release all that was peeked. Wait-free; one system call if the producer sleeps on us. */
void lam_ring_member_release(struct lam_ring_member *member);

#ifdef __cplusplus
}
#endif

#endif
