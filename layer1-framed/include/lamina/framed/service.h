/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SERVICE_H
#define LAM_FRAMED_SERVICE_H

/*
 * lamina/framed/service.h: many channels served by one thread and one wait.
 *
 * Framed, layer 1. Up to 64 receivers, or responders, come and go while the service runs. Each wait
 * is for all of them; who is served next goes by turns (lamina/framed/turns.h): fair, or weighted
 * by messages or by bytes. A channel that ends (closed, dead, evicted, poisoned) is reported once,
 * and left out until it is taken up again; the others go on.
 *
 * Nothing shared, nothing allocated; all calls, and those of the receivers, from one thread.
 */

#include "lamina/framed/receiver.h"
#include "lamina/framed/responder.h"
#include "lamina/framed/turns.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_SERVICE_COUNT_MAX 64

enum lam_service_unit {
    LAM_SERVICE_MESSAGES = 0, /* a weight is so many messages a turn */
    LAM_SERVICE_BYTES = 1,    /* so many bytes; each message costs 64 more */
};

struct lam_service {
    /* Fields are private. */
    struct lam_turns turns;
    enum lam_service_unit unit;
    uint32_t since_probe; /* served since one that is silent was asked whether it lives */
    uint32_t probed;
    uint64_t ended; /* bit a receiver: reported, and left out */
    struct lam_framed_receiver *receivers[LAM_SERVICE_COUNT_MAX];
    struct lam_responder *responders[LAM_SERVICE_COUNT_MAX]; /* or NULL */
};

/* A service of nobody. */
void lam_service_init(struct lam_service *service, enum lam_service_unit unit);

/*
 * Serve @receiver, attached, kept until removed. @weight: 1 to LAM_TURNS_WEIGHT_MAX; all 1 is fair.
 * *@index names it from now on.
 *
 * Returns 0, or
 *   -EUSERS there are LAM_SERVICE_COUNT_MAX already
 */
int lam_service_add(struct lam_service *service, struct lam_framed_receiver *receiver,
    uint32_t weight, uint32_t *index);

/* The same for a responder: what it received ahead counts as there. */
int lam_service_add_responder(
    struct lam_service *service, struct lam_responder *responder, uint32_t weight, uint32_t *index);

/* Serve @index no longer. It may be given to another one later. */
void lam_service_remove(struct lam_service *service, uint32_t index);

/* Take @index up again after its end was reported: a successor of its sender may have come. */
void lam_service_resume(struct lam_service *service, uint32_t index);

/*
 * Whose turn is it? Waits until one has something, until @deadline_ns; takes nothing. The caller
 * takes one message or request from it, and says what that cost by lam_service_served().
 *
 * Returns 0 and *@index; or the end of one's channel, once, with *@index: -EPIPE, -EOWNERDEAD,
 * -ESTALE, -ENOTRECOVERABLE, -ECANCELED, -EPROTO as lam_ring_consumer_try_peek(); or
 *   -ETIMEDOUT nobody had anything
 *   -ENOENT    there is nobody, or all have ended
 */
int lam_service_next_until(struct lam_service *service, uint64_t deadline_ns, uint32_t *index);

/* @index was served: one message of @bytes. */
void lam_service_served(struct lam_service *service, uint32_t index, uint64_t bytes);

/* @index had nothing after all, or cannot be served now: its turn is over. */
void lam_service_pass(struct lam_service *service, uint32_t index);

/*
 * Both in one, for plain receivers: the next message of whose turn it is, lent until the caller
 * releases it on that receiver.
 *
 * Returns 0, *@index and *@message, or an error of lam_service_next_until(), or of
 * lam_framed_receiver_try_receive() that is no end of its channel, with *@index
 */
int lam_service_receive_until(struct lam_service *service, uint64_t deadline_ns, uint32_t *index,
    struct lam_framed_message *message);

#ifdef __cplusplus
}
#endif

#endif
