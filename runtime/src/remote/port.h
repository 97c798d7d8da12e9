/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PORT_H
#define LAM_RUNTIME_PORT_H

/*
 * port.h: layer 1's daemon and client, as far as a remote host needs them.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/* The versions of the protocol that are offered at an endpoint: 1.0 to 1.3. */
#define PORT_VERSION_MIN 0x10000u
#define PORT_VERSION_MAX 0x10003u

/* How urgent; the number of a lane. */
enum port_lane {
    PORT_CRITICAL = 0,
    PORT_HIGH = 1,
    PORT_LOW = 2,
};

struct port_options {
    const char *endpoint;
    const char *directory; /* or NULL */
    const char *name;      /* of a client; or NULL */
    uint32_t mode;
    uint32_t clients_max;
    uint64_t message_bytes_max;
};

/* ---- the host's end: all calls from one thread ---- */

struct port; /* opaque */

enum port_event {
    PORT_NOTHING = 0,
    PORT_ASKED = 1, /* wants an answer */
    PORT_TOLD = 2,  /* wants none */
    PORT_CAME = 3,
    PORT_WENT = 4,
};

/* Who is to be answered. */
struct port_ask {
    uint64_t words[6];
};

struct port_coming {
    enum port_event event;
    uint64_t client;
    const void *bytes; /* lent until the next wait, in memory that the client may write */
    uint64_t count;
    uint64_t deadline_ns;
    struct port_ask ask;
};

/* Returns 0, or as lam_daemon_create(); -ENOMEM. */
int port_open(struct port **port, const struct port_options *options, struct lam_error *error);

/* Clients are told why. */
void port_close(struct port *port);

/* What comes by @deadline_ns: PORT_NOTHING if nothing does. */
void port_wait(struct port *port, uint64_t deadline_ns, struct port_coming *coming);

/* Returns 0, or an error: it is not answered, and will be gone. */
int port_answer(struct port *port, const struct port_ask *ask, const void *bytes, uint64_t count);

/* Without waiting. Returns 1, 0 there is no room, or an error. */
int port_tell(struct port *port, uint64_t client, const void *bytes, uint64_t count);

void port_drop(struct port *port, uint64_t client, const char *why);

uint32_t port_client_count(const struct port *port);

/* ---- the other end: one thread at a time ---- */

struct line; /* opaque */

/* Returns 0, or as lam_client_connect(); -ENOMEM. */
int line_open(struct line **line, const struct port_options *options, uint64_t deadline_ns,
    struct lam_error *error);

void line_close(struct line *line);

/* Where something is copied to: @bytes and @capacity are the caller's, @count is set. */
struct line_room {
    void *bytes;
    uint64_t capacity;
    uint64_t count;
};

/*
 * Ask and wait. The answer is copied to *@room.
 *
 * Returns 0, -EMSGSIZE it is larger, or as lam_client_request_until().
 */
int line_ask(struct line *line, enum port_lane lane, const void *bytes, uint64_t count,
    uint64_t deadline_ns, struct line_room *room);

/* Without an answer, and without waiting: it goes, or not. */
void line_tell(struct line *line, const void *bytes, uint64_t count);

/* The next message that the host sent of itself, likewise. As lam_client_receive_until(). */
int line_next(struct line *line, uint64_t deadline_ns, struct line_room *room);

/* The longest message that the host takes, as it said when we came. */
uint64_t line_message_bytes_max(const struct line *line);

/* What the host said when it went; "" nothing. Lent. */
const char *line_goodbye(const struct line *line);

#endif
