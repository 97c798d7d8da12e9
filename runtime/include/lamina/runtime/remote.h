/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_REMOTE_H
#define LAM_RUNTIME_REMOTE_H

/*
 * lamina/runtime/remote.h: a runtime that other processes ask, by the name of an endpoint.
 *
 * Runtime, floor 6. The host serves memlink's protocol (lamina/runtime/messages.h) at an endpoint
 * of layer 1: whoever may connect to its socket may call its modules, list them, ask how they are,
 * and, where the host allows it, load, reload and unload them. A host trusts no client: what one
 * writes costs that one its connection and nobody else anything.
 *
 * The other side connects, and asks one thing at a time.
 */

#include "lamina/runtime/events.h"
#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_REMOTE_ENDPOINT         "runtime" /* where options name none */
#define LAM_REMOTE_BYTES_DEFAULT    (UINT64_C(1) << 20)
#define LAM_REMOTE_BYTES_MAX        (UINT64_C(32) << 20)
#define LAM_REMOTE_STREAM_BYTES_MAX (UINT64_C(1) << 30)
#define LAM_REMOTE_STREAM_NS_MAX    (UINT64_C(3600) * LAM_NS_PER_S)
#define LAM_REMOTE_THREADS_MAX      64
#define LAM_REMOTE_QUEUE_MAX        4096

/* ---- the host ---- */

struct lam_remote_server; /* opaque */

/* Zero is the default of each. Everything is copied. */
struct lam_remote_options {
    const char *endpoint;  /* default LAM_REMOTE_ENDPOINT */
    const char *directory; /* of endpoints; default lam_endpoint_directory() */
    uint32_t mode;         /* of the socket: who may connect; default 0600, this user */
    uint32_t clients_max;  /* default 16 */
    uint32_t threads;      /* requests that run at once; default 4 */
    uint32_t queue_max;    /* requests that run or wait; default 64 */
    uint32_t lets_change;  /* 1: clients may load, reload and unload: run code as this process */
    uint32_t reserved;     /* 0 */
    uint64_t bytes_max;    /* of a request, and of an answer; default LAM_REMOTE_BYTES_DEFAULT */
    uint64_t call_ns_max;  /* no call's deadline is later; default 30 s */
    /* What is larger than bytes_max goes in chunks: of one client, requests and the room for
     * answers that it asks for, 4 of them at most; 0: nothing does. */
    uint64_t stream_bytes_max;
    uint64_t stream_ns; /* in which all chunks have to move; default 30 s, at most an hour */
};

/*
 * Serve @runtime at an endpoint, by threads of the server's own: one that speaks, and those that
 * run requests. Until lam_remote_serve_end(), which comes before lam_runtime_destroy(). One server
 * of a runtime at a time.
 *
 * A call's deadline is the client's, but no later than call_ns_max: in a worker it is enforced, in
 * this process it is told to the module, and a module that does not return holds its thread. Where
 * half of queue_max requests run or wait, those of low priority are turned away
 * (LAM_PROTOCOL_BACKPRESSURE); from three quarters on, of normal; from seven eighths, of high. A
 * request that waits goes before those of lower priority, but one in eight is the oldest of all.
 * More than a quarter of queue_max is no client's (LAM_PROTOCOL_QUOTA_EXCEEDED). A client whose
 * requests run in as many threads as are idle waits for its own: of 4 threads one client holds 2 at
 * most, the next one 1, the next one the last.
 *
 * A call that comes with a trace goes on with it (lamina/runtime/trace.h): a client chooses what of
 * its calls is traced.
 *
 * Returns 0, or
 *   -EINVAL an option is outside its range; @error says which
 *   -EBUSY  a daemon of that name is alive, or @runtime is served already
 *   -EEXIST, -ENOENT, -errno as lam_daemon_create() of lamina/framed/daemon.h
 *   -ENOMEM
 */
int lam_remote_serve(struct lam_remote_server **server, struct lam_runtime *runtime,
    const struct lam_remote_options *options, struct lam_error *error);

/* Tell the clients, wait for requests that run, and free the server. NULL is allowed. */
void lam_remote_serve_end(struct lam_remote_server *server);

/* What a server has done so far. */
struct lam_remote_counts {
    uint64_t clients;   /* that are connected now */
    uint64_t connected; /* that ever were */
    uint64_t requests;  /* that were run */
    uint64_t refused;   /* that were turned away: queue or priority */
    uint64_t errors;    /* messages that were answered with an error */
    uint64_t dropped;   /* clients sent away: no message of the protocol, or unread answers */
    uint64_t events;    /* that were sent */
};

/* Any thread. */
void lam_remote_look(struct lam_remote_server *server, struct lam_remote_counts *counts);

/* ---- the other side: all calls of one connection from one thread at a time ---- */

struct lam_remote; /* opaque */

/* Zero is the default of each. Everything is copied. */
struct lam_remote_client_options {
    const char *endpoint;  /* default LAM_REMOTE_ENDPOINT */
    const char *directory; /* of endpoints; default lam_endpoint_directory() */
    const char *name;      /* of this client, for people; default: the program's */
    uint32_t wants_events; /* 1: lam_remote_next_event() has something to tell */
    uint32_t reserved;     /* 0 */
    uint64_t bytes_max;    /* of a request, and of an answer; default LAM_REMOTE_BYTES_DEFAULT */
};

/*
 * Connect to the host at an endpoint, waiting for one until @deadline_ns (0 does not wait for it to
 * appear), and agree on a version of the protocol.
 *
 * Returns 0 and sets *@remote, or as lam_client_connect() of lamina/framed/client.h with @error:
 * -ENOENT and -ECONNREFUSED nobody serves there, -EACCES, -EPROTO ...; or
 *   -EPROTONOSUPPORT no common version
 *   -EINVAL          an option is outside its range
 *   -ENOMEM
 */
int lam_remote_connect(struct lam_remote **remote, const struct lam_remote_client_options *options,
    uint64_t deadline_ns, struct lam_error *error);

/* NULL is allowed. */
void lam_remote_disconnect(struct lam_remote *remote);

/*
 * Call @method of @module there, as lam_module_call() does here, with the priority of
 * lam_remote_set_priority(). *@reply is the caller's, with data and capacity set. Where the host
 * has streams, a request above bytes_max of this connection or of the host goes in chunks before
 * the call, and an answer above that of the host after it, by the same deadline; an answer finds as
 * much room as the host's stream_bytes_max leaves. The host is told a deadline that is a tenth of
 * what is left, at most 100 ms, before @deadline_ns: a method that has not ended by then is
 * LAM_FAILURE_DEADLINE, as there, and the answer is here in time.
 *
 * Returns as lam_module_call(), and with it reply->failure; where the host could not be asked, or
 * answered with an error, the failure is LAM_FAILURE_REMOTE: its detail is an enum
 * lam_protocol_error, or 0, lam_remote_why() is a sentence, and the call returned
 *   -ETIMEDOUT   no answer by @deadline_ns
 *   -EPIPE, -EOWNERDEAD, -EACCES the host went, died, or sent us away: nothing more comes
 *   -EMSGSIZE    request or answer are above a bound that is not the caller's room:
 *                lam_remote_why() says which, whose, and what to do. Above that of the answer the
 *                method has run, or said how much it needs
 *   -EDQUOT      the request is above what its stream_bytes_max leaves of it
 *   -EPROTO      what came is no answer
 *   -EREMOTEIO   another error
 */
int lam_remote_call(struct lam_remote *remote, const char *module, const char *method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns);

/* enum lam_protocol_priority of the calls that follow; the default is LAM_PROTOCOL_NORMAL. */
void lam_remote_set_priority(struct lam_remote *remote, uint32_t priority);

/*
 * The calls that follow are made within one of this process: @trace is that of its struct lam_call,
 * or of its struct lam_middleware_call (copied). They are spans of the host's runtime, below that
 * one's; where @trace's id is 0 that call is in no trace, and they are in none, whatever the host's
 * sampling is. NULL, and at first: the host begins a trace, or none, as for calls of a program.
 */
void lam_remote_set_trace(struct lam_remote *remote, const struct lam_trace *trace);

/* Why the last call failed, if its failure was LAM_FAILURE_REMOTE. Lent until the next one. */
const char *lam_remote_why(const struct lam_remote *remote);

/*
 * Load a module there; @reference is resolved there, too. Of
 * @options host, name, config and counts_calls go along. *@stat (may be NULL) is how it is now.
 *
 * Returns as lam_runtime_load() there, with its sentence, or
 *   -EPERM the host lets no client change anything
 *   -ETIMEDOUT, -EPIPE, -EOWNERDEAD, -EACCES, -EMSGSIZE, -EPROTO, -EREMOTEIO as lam_remote_call()
 */
int lam_remote_load(struct lam_remote *remote, const char *reference,
    const struct lam_module_options *options, struct lam_module_stat *stat, uint64_t deadline_ns,
    struct lam_error *error);

/* The same of lam_runtime_reload(). Returns as that does there, or as lam_remote_load(). */
int lam_remote_reload(struct lam_remote *remote, const char *module,
    const struct lam_reload_options *options, struct lam_module_stat *stat, uint64_t deadline_ns,
    struct lam_error *error);

/* The same of lam_runtime_unload(), whose calls may finish for @drain_ns. Returns as that does
 * there, or as lam_remote_load(). */
int lam_remote_unload(struct lam_remote *remote, const char *module, uint64_t drain_ns,
    uint64_t deadline_ns, struct lam_error *error);

typedef void (*lam_remote_visit_fn)(void *context, const struct lam_module_stat *stat);

/*
 * Visit the modules that are loaded there, in the order of their names' first load; with @module
 * only that one. Returns how many, -ENODEV none is called @module, or as lam_remote_load().
 */
int lam_remote_list(struct lam_remote *remote, const char *module, lam_remote_visit_fn visit,
    void *context, uint64_t deadline_ns, struct lam_error *error);

/*
 * The text of lam_runtime_prometheus() there: @capacity bytes of it, with a terminator, go to
 * @text; *@bytes says how long all of it is. Returns 0, or as lam_remote_load().
 */
int lam_remote_stat(struct lam_remote *remote, char *text, uint64_t capacity, uint64_t *bytes,
    uint64_t deadline_ns, struct lam_error *error);

struct lam_remote_health {
    uint32_t state; /* enum lam_protocol_health_state of lamina/runtime/messages.h */
    int32_t detail;
    char text[256];
};

/* How @module is there; NULL: the host. Returns 0, -ENODEV, or as lam_remote_load(). */
int lam_remote_health(struct lam_remote *remote, const char *module,
    struct lam_remote_health *health, uint64_t deadline_ns, struct lam_error *error);

/* What happened there. */
struct lam_remote_event {
    enum lam_runtime_event_kind kind;
    uint32_t reserved; /* 0 */
    char name[LAM_NAME_BYTES_MAX];
    char text[256]; /* cut short where it is longer */
    int64_t value;
    uint64_t at_ns; /* monotonic, of this machine */
};

/*
 * The next event, waiting until @deadline_ns. A client that does not take them loses the newest.
 *
 * Returns 0, -ETIMEDOUT, -ENOTSUP wants_events was not set or the host tells none, or -EPIPE,
 * -EOWNERDEAD, -EACCES, -EPROTO as lam_remote_call().
 */
int lam_remote_next_event(
    struct lam_remote *remote, struct lam_remote_event *event, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
