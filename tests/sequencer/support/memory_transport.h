/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_MEMORY_TRANSPORT_H
#define LAM_TEST_MEMORY_TRANSPORT_H

/*
 * memory_transport.h: a transport (transport/transport.h) whose clients are functions of a test.
 * Frames come and go at once and in order; the clients of one transport are served in turn. Calls
 * of clients may come from any thread.
 */

#include <pthread.h>
#include <stdint.h>

#include "env/env.h"
#include "transport/transport.h"

#define MEMORY_CLIENTS_MAX 64

/* Frames, one behind the other. */
struct memory_queue {
    uint8_t *bytes;
    uint64_t begin, end, capacity;
};

struct memory_client {
    uint64_t connection;
    struct memory_queue sent, received; /* to the node, and from it */
    uint64_t room;                      /* bytes that it takes without reading them */
    int is_told, is_held, has_left, is_closed, is_over;
};

struct memory_transport {
    struct transport transport; /* first */
    pthread_mutex_t lock;
    struct lam_env *reader; /* woken when something comes; NULL: nobody sleeps */
    struct memory_client clients[MEMORY_CLIENTS_MAX];
    unsigned count, turn;
    uint8_t *frame; /* the one that is lent */
    uint64_t closed;
};

/* With that number, for the high 8 bits of its connections'. */
void memory_transport_init(struct memory_transport *transport, uint32_t number);

/* What transport->ops->destroy does. */
void memory_transport_fini(struct memory_transport *transport);

/* A client comes. Returns its index; MEMORY_CLIENTS_MAX come in all. */
unsigned memory_connect(struct memory_transport *transport);

/* It sends one frame, which has a header. */
void memory_send(
    struct memory_transport *transport, unsigned client, const void *bytes, uint32_t count);

/* The next frame for it, at most @room bytes. Returns its bytes; 0: none yet; -1: it is the end. */
int64_t memory_receive(
    struct memory_transport *transport, unsigned client, void *bytes, uint32_t room);

/* It goes away. */
void memory_leave(struct memory_transport *transport, unsigned client);

#endif
