/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_REQUIRED_H
#define LAM_RING_REQUIRED_H

/*
 * lamina/ring/required.h: consumers that a producer cannot do without.
 *
 * Ring, layer 0. The producer lists names. Until each has come, nothing that is in the ring is
 * overwritten; one that dies, or detaches, keeps its place until its grace is over, so that its
 * successor (same name, LAM_RING_RESUME) loses nothing. One that is missing, stalled or dead for
 * too long raises an alarm; one that does not come back within its grace is a failure, and the
 * producer's policy says what follows.
 *
 * Looked at only while the producer is blocked, and by lam_ring_producer_check(): a ring with room
 * pays nothing. A consumer that has nothing to read is never stalled.
 *
 * All calls by the producer's thread.
 */

#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/ring/producer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong with a required consumer. */
enum lam_ring_alarm {
    LAM_RING_ALARM_NONE = 0,
    LAM_RING_ALARM_MISSING = 1, /* has not come within the start-up time */
    LAM_RING_ALARM_STALLED = 2, /* lives, has something to read, and does not go on */
    LAM_RING_ALARM_DEAD = 3,    /* died, or detached */
};

/* What follows when the grace is over. */
enum lam_ring_failure_action {
    LAM_RING_FAIL_CALL = 0,  /* blocked claims and checks answer -ECANCELED until it is back */
    LAM_RING_FAIL_EVICT = 1, /* take it out of the table, and go on without it */
    LAM_RING_FAIL_RING = 2,  /* lam_ring_producer_fail() */
    /*
     * As FAIL_EVICT, but one that lives, stopped it may be, is killed first (SIGKILL, by a pidfd,
     * and only a process that maps this ring), and what it held is free once its lock says that it
     * is dead. One that cannot be killed from here (this process, another PID namespace or user)
     * is as by FAIL_CALL.
     */
    LAM_RING_FAIL_KILL = 3,
};

struct lam_ring_alert {
    const char *name;
    enum lam_ring_alarm alarm;
    int is_over;        /* 1: the consumer is back, or goes on */
    uint64_t cursor;    /* where it stood; 0 while it has not come */
    uint64_t lasted_ns; /* since the list was given, it last went on, was found dead; or alarm */
};

/* Fields of 0 have the default beside them. */
struct lam_ring_required_options {
    const char *const *names; /* distinct; they and the list are kept until detach */
    uint32_t count;           /* 1 to 64 */
    enum lam_ring_failure_action action;
    uint64_t startup_ns;  /* to come, from this call on; 5 s */
    uint64_t progress_ns; /* to go on, where there is something to read; 250 ms */
    uint64_t check_ns;    /* between two looks of a blocked producer; 5 ms */
    uint64_t grace_ns;    /* from the alarm to the failure; 1 s */
    /*
     * Once for each alarm and once for its end, in the producer's thread, from within a claim or a
     * check. It makes no call on this producer. NULL for none.
     */
    void (*alert)(void *context, const struct lam_ring_alert *alert);
    void *context;
};

/* What the producer knows of one of them. Private. */
struct lam_ring_required_one {
    uint64_t cursor;   /* at the last look */
    uint64_t since_ns; /* it has something to read and does not go on, or was found dead; 0 no */
    uint64_t alarm_ns; /* since when there is an alarm */
    uint64_t word;     /* the state of its entry, where it was found dead */
    uint32_t index;    /* its entry; UINT32_MAX none */
    enum lam_ring_alarm alarm;
    uint32_t came;     /* it gated once */
    uint32_t given_up; /* its grace is over, and we go on without it */
};

/* The caller's memory, kept until the producer's detach. Fields are private. */
struct lam_ring_required {
    struct lam_ring_required_options options;
    struct lam_ring_required_one ones[LAM_RING_CONSUMER_COUNT_MAX];
    uint64_t started_ns;
    uint64_t look_at_ns;
    uint32_t standing; /* alarms */
    uint32_t all_came;
    uint32_t failing; /* at the last look somebody's grace was over */
};

/*
 * From now on these consumers are required. Once for each producer, right after its attach: what
 * was overwritten before is gone.
 *
 * Returns 0, or
 *   -EINVAL   an option is out of range; @error says which
 *   -EALREADY this producer has a list
 */
int lam_ring_producer_require(struct lam_ring_producer *producer,
    struct lam_ring_required *required, const struct lam_ring_required_options *options,
    struct lam_error *error);

/*
 * Look at the required consumers now, full ring or not. System calls: one a name.
 *
 * Returns how many alarms stand, or
 *   -ECANCELED       one was not back within its grace; or this producer has failed the ring
 *   -EPIPE           this producer has closed the ring
 *   -ENOTRECOVERABLE the ring is poisoned
 */
int lam_ring_producer_check(struct lam_ring_producer *producer);

/*
 * End the stream as failed: consumers get -ECANCELED once they have taken the last event, this
 * producer's claims do at once; lamina/ring/stat.h shows the state and @reason (cut to
 * LAM_RING_FAILURE_MAX bytes; NULL for none). A claim in hand is aborted. The next producer opens
 * the ring again. Nothing happens after a close or a failure.
 */
void lam_ring_producer_fail(struct lam_ring_producer *producer, const char *reason);

#ifdef __cplusplus
}
#endif

#endif
