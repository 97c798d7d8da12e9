/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SCATTER_H
#define LAM_FRAMED_SCATTER_H

/*
 * lamina/framed/scatter.h: one request to many workers, and their answers gathered.
 *
 * Framed, layer 1. A scatterer has one channel that all workers read (one request in memory for all
 * of them) or a channel for each, and a channel of replies for each. Workers are responders
 * (lamina/framed/responder.h); the scatterer is their caller number 0, or what the options say. A
 * round is one request; the gather ends when each worker has answered or cannot, or at the round's
 * deadline: then it says who is missing, and why. Answers to an earlier round are told by the
 * request's id, dropped and counted.
 *
 * One round at a time; all calls from one thread at a time; nothing here allocates.
 */

#include "lamina/framed/call_message.h"
#include "lamina/framed/receiver.h"
#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_SCATTER_WORKER_COUNT_MAX 64

/* The outcome of a worker that has neither answered nor failed. */
#define LAM_SCATTER_WAITING 1

struct lam_scatter_options {
    uint32_t worker_count;                        /* 1 to LAM_SCATTER_WORKER_COUNT_MAX */
    uint32_t sender_count;                        /* 1: all workers read it; or one for each */
    struct lam_framed_sender *const *senders;     /* attached, kept; the array is copied */
    struct lam_framed_receiver *const *receivers; /* one for each worker, likewise */
    /*
     * Names by which the workers joined the channels of requests, or NULL. With names, a worker
     * that is no longer there at the end of a round is told from one that is late.
     */
    const char *const *names;
    uint32_t number; /* as struct lam_caller_options */
};

struct lam_scatter_counts {
    uint64_t rounds;
    uint64_t complete; /* rounds that all workers answered */
    uint64_t missing;  /* answers that were not there at their round's end */
    uint64_t late;     /* dropped: answers of an earlier round, or twice */
    uint64_t foreign;  /* dropped: of another scope */
};

struct lam_scatter {
    /* Fields are private. */
    struct lam_framed_sender *senders[LAM_SCATTER_WORKER_COUNT_MAX];
    struct lam_framed_receiver *receivers[LAM_SCATTER_WORKER_COUNT_MAX];
    const char *names[LAM_SCATTER_WORKER_COUNT_MAX];
    uint32_t worker_count;
    uint32_t sender_count;
    uint32_t served;  /* whose channel was looked at last */
    uint64_t waiting; /* bit a worker */
    uint64_t asked;   /* likewise */
    uint64_t lent;
    uint64_t round; /* the request's id */
    uint64_t scope;
    uint64_t deadline_ns;
    struct lam_reply replies[LAM_SCATTER_WORKER_COUNT_MAX];
    struct lam_framed_message messages[LAM_SCATTER_WORKER_COUNT_MAX];
    uint64_t late_of[LAM_SCATTER_WORKER_COUNT_MAX];
    uint64_t epochs[LAM_SCATTER_WORKER_COUNT_MAX]; /* of their channels, when they were asked */
    struct lam_scatter_counts counts;
};

/*
 * Prepare to ask these workers. Channels and names are kept while @scatter is used; nothing need be
 * given back.
 *
 * Returns 0, or
 *   -EINVAL there are no or too many workers, or neither one sender nor one for each; @error says
 */
int lam_scatter_init(struct lam_scatter *scatter, const struct lam_scatter_options *options,
    struct lam_error *error);

/*
 * Begin a round: send the request to all, waiting for room until @deadline_ns, which is the
 * round's, too. What is lent of the round before is released; what it waits for is given up.
 *
 * With a channel for each worker, nobody waits for another. One that did not answer the round
 * before and has no room for the beginning of this one is late already: it gets -ETIMEDOUT as its
 * outcome at once. One that stops reading in the middle gets it at @deadline_ns; until then the
 * others get theirs, and their answers are taken in.
 *
 * Returns 0, or where nobody could be asked why, as lam_framed_sender_send_until().
 * lam_scatter_was_asked() tells who was.
 */
int lam_scatter_begin_until(struct lam_scatter *scatter, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, uint64_t deadline_ns);

/*
 * The same in place, where one channel is for all: claim, write, then commit. A claim releases the
 * round before. Returns as lam_framed_sender_try_claim() and lam_framed_sender_claim_until().
 */
int lam_scatter_try_claim(struct lam_scatter *scatter, uint64_t payload_bytes, void **payload);
int lam_scatter_claim_until(
    struct lam_scatter *scatter, uint64_t payload_bytes, uint64_t deadline_ns, void **payload);
void lam_scatter_commit(
    struct lam_scatter *scatter, uint64_t payload_bytes, uint16_t kind, uint64_t deadline_ns);

/*
 * Take the answers that are there. Never waits; may be called again and again.
 *
 * Returns how many workers have neither answered nor failed: 0, the round is over
 */
uint32_t lam_scatter_try_gather(struct lam_scatter *scatter);

/*
 * Wait until the round is over, or until @deadline_ns. At the round's own deadline all that are
 * missing are given an outcome: it is over then.
 *
 * Returns 0 the round is over: each worker has its outcome; or
 *   -ETIMEDOUT @deadline_ns has passed, and it is not over
 */
int lam_scatter_gather_until(struct lam_scatter *scatter, uint64_t deadline_ns);

/*
 * What became of @worker in this round: outcome 0, its answer is lent until the next round begins;
 * LAM_SCATTER_WAITING; or why there is none:
 *   -ETIMEDOUT       late: alive, and silent at the deadline; or it did not read its request
 *   -EOWNERDEAD      it died, or another has taken its channel of replies since it was asked
 *   -ESTALE          it was evicted from the channel of requests, or is not there (with names)
 *   -EPIPE           it closed its channel
 *   -ECANCELED       the round was given up, or the worker gave its answer up midway
 *   -EMSGSIZE        its answer is larger than the receiver takes
 *   -EBADMSG         its answer is not what was sent: the CRC32C is wrong
 *   -ENOTRECOVERABLE its channel is poisoned
 */
LAM_INLINE const struct lam_reply *lam_scatter_reply(
    const struct lam_scatter *scatter, uint32_t worker)
{
    LAM_ASSERT(worker < scatter->worker_count);
    return &scatter->replies[worker];
}

/*
 * 1 the whole request of this round has gone to @worker's channel; 0 it has not: the outcome says
 * why, -ETIMEDOUT that there was no room for it.
 */
LAM_INLINE int lam_scatter_was_asked(const struct lam_scatter *scatter, uint32_t worker)
{
    LAM_ASSERT(worker < scatter->worker_count);
    return (int)(scatter->asked >> worker & 1);
}

/* Give the round up: workers are told, without waiting; whoever is missing gets -ECANCELED. */
void lam_scatter_cancel(struct lam_scatter *scatter);

/* Give the answers of the round back; the next round does so, too. */
void lam_scatter_release(struct lam_scatter *scatter);

/* Answers of earlier rounds that came from @worker: how often it has drifted. */
LAM_INLINE uint64_t lam_scatter_late(const struct lam_scatter *scatter, uint32_t worker)
{
    LAM_ASSERT(worker < scatter->worker_count);
    return scatter->late_of[worker];
}

#ifdef __cplusplus
}
#endif

#endif
