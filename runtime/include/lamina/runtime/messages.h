/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_MESSAGES_H
#define LAM_RUNTIME_MESSAGES_H

/*
 * lamina/runtime/messages.h: what stands behind the header of memlink's protocol.
 *
 * Runtime, floor 6. A message is a header (lamina/runtime/protocol.h) and a body: one MessagePack
 * array, its elements in the order of the fields below. Bytes go as bin, text as str, flags and
 * numbers as integers. Where memlink defines a body, its elements come first, and ours behind them:
 * a writer writes all of them; a reader wants memlink's, takes 0 for the others where the array
 * ends early (but normal priority, and no bound of the reply), and passes over what comes behind
 * those that it knows. Text is not checked to be UTF-8.
 *
 *     request    [module, method, args, trace: 16 bytes or nil, deadline or nil,
 *                 priority, reply capacity, span, flags, stream or nil]
 *     response   [data, status, result, failure, detail, needed, stream or nil]
 *     error      [code, text, retry after ms or nil, result]
 *     stream     [id: 16 bytes, total bytes, expires or nil, state, mode, chunk bytes,
 *                 offset, flags, data]
 *     negotiate  [[[major, minor, features], ...]]
 *     health     [module]; an empty body is memlink's heartbeat: the whole host
 *     load       [reference, name, config, host, flags, drain ns]
 *     unload     [module, drain ns]
 *     stats      [module, flags]
 *     event      [kind, module, value, at ns, text]
 *
 * memlink has numbers, and no bodies, for the last five, and nothing for negotiate. Request,
 * stream, negotiate, health, load, unload and stats want an answer if their request id is not 0: an
 * error, or a response, whose data for all but a request is MessagePack again:
 *
 *     stream     the same array
 *     negotiate  [[[major, minor, features]]], the one that was agreed on
 *     health     [state, detail, text]
 *     load       [module], unload likewise: as in stats
 *     stats      [[[name, [major, minor, patch], phase, calls, draining, generation], ...], text]
 *
 * What is larger than a message may be goes by a stream, where STREAMING was agreed on. All of it
 * is asked by the client, who names in each what it wants of the stream; the host's answer says how
 * it is now.
 *
 *     INITIALIZING, PUSH   room for total bytes; the answer is READY, with id, expiry and the most
 *                          that a chunk may have, which is what was asked for or less
 *     TRANSFERRING, PUSH   data, which is all or chunk bytes, at offset, where the last one ended;
 *                          the one at the end has LAST; COMPLETE when that has come
 *     TRANSFERRING, PULL   up to chunk bytes at offset, where the last one ended; they are the
 *                          answer's data, the last with LAST: with it the stream is gone
 *     FAILED               let go of it
 *
 * A request's stream, which is COMPLETE, is its args, once; a response's, with how long it is in
 * needed, is its data. An error in a chunk costs the stream. None outlives expires.
 *
 * Deadlines and times are monotonic nanoseconds of this machine. Reading copies nothing: what is
 * read are views into the message, which may not change meanwhile. Nothing allocates or waits; any
 * thread.
 */

#include "lamina/base/error.h"
#include "lamina/runtime/abi.h"
#include "lamina/runtime/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed from the message that was read, or from whoever writes one. No terminator. */
struct lam_protocol_view {
    const void *data;
    uint64_t bytes;
};

enum lam_protocol_status {
    LAM_PROTOCOL_SUCCESS = 0,
    LAM_PROTOCOL_MODULE_NOT_FOUND = 1,
    LAM_PROTOCOL_METHOD_NOT_FOUND = 2,
    LAM_PROTOCOL_EXECUTION_ERROR = 3,
    LAM_PROTOCOL_TIMEOUT = 4,
    LAM_PROTOCOL_QUOTA_EXCEEDED = 5,
    LAM_PROTOCOL_BACKPRESSURE = 6,
};

enum lam_protocol_priority {
    LAM_PROTOCOL_LOW = 0,
    LAM_PROTOCOL_NORMAL = 1,
    LAM_PROTOCOL_HIGH = 2,
    LAM_PROTOCOL_CRITICAL = 3,
};

/* memlink names its fourteen and numbers none; those from 64 on are ours. */
enum lam_protocol_error {
    LAM_PROTOCOL_INVALID_MAGIC = 1,
    LAM_PROTOCOL_UNSUPPORTED_VERSION = 2,
    LAM_PROTOCOL_INVALID_MESSAGE_TYPE = 3,
    LAM_PROTOCOL_PAYLOAD_TOO_LARGE = 4,
    LAM_PROTOCOL_CHECKSUM_MISMATCH = 5, /* never sent: what carries a message checks it */
    LAM_PROTOCOL_SERIALIZATION_FAILED = 6,
    LAM_PROTOCOL_BUFFER_OVERFLOW = 7,
    LAM_PROTOCOL_INVALID_HEADER = 8,
    LAM_PROTOCOL_INVALID_REQUEST_ID = 9,
    LAM_PROTOCOL_UNKNOWN_MODULE = 10,
    LAM_PROTOCOL_UNKNOWN_METHOD = 11,
    LAM_PROTOCOL_TIMED_OUT = 12,
    LAM_PROTOCOL_CONNECTION_CLOSED = 13,
    LAM_PROTOCOL_OVER_QUOTA = 14,
    LAM_PROTOCOL_NOT_ALLOWED = 64, /* this host lets no client do that */
    LAM_PROTOCOL_FAILED = 65,      /* it was tried: result and text say what came of it */
    LAM_PROTOCOL_NO_STREAM = 66,   /* this client has none of that id: it has expired, or ended */
    LAM_PROTOCOL_BAD_CHUNK = 67,   /* not what comes next; the stream is gone */
};

/* What kind of error it is; bits, 0 none of them. */
#define LAM_PROTOCOL_RECOVERABLE 1u /* the same message later may pass */
#define LAM_PROTOCOL_CORRUPTION  2u /* what came is not what was sent */
#define LAM_PROTOCOL_MISMATCH    4u /* the other side speaks something else */

unsigned lam_protocol_error_class(enum lam_protocol_error error);

/* The word for it, as "UnknownModule"; "Unknown" for a number that stands for none. */
const char *lam_protocol_error_name(enum lam_protocol_error error);

/* The error to answer what lam_protocol_read() or lam_protocol_read_message() returned. */
enum lam_protocol_error lam_protocol_error_of(int rc);

/* ---- bodies ---- */

/* The caller's call is in no trace, and so is this one; without it, and without a trace, the host
 * begins one as it likes. */
#define LAM_PROTOCOL_REQUEST_UNTRACED 1u
#define LAM_PROTOCOL_REQUEST_FLAGS    1u

struct lam_protocol_request {
    struct lam_protocol_view module;
    struct lam_protocol_view method; /* its name; empty: the header's method id says which */
    struct lam_protocol_view args;
    uint8_t trace[16];    /* all 0: nobody traces; goes as nil */
    uint64_t deadline_ns; /* UINT64_MAX: none; goes as nil */
    enum lam_protocol_priority priority;
    uint64_t reply_capacity; /* the most that the answer may have */
    uint64_t span;           /* of the caller */
    uint32_t flags;
    uint8_t stream[16]; /* all 0: none; else what the args are; goes as nil */
};

struct lam_protocol_response {
    struct lam_protocol_view data;
    enum lam_protocol_status status;
    int32_t result;     /* what the method returned */
    uint32_t failure;   /* enum lam_failure */
    int32_t detail;     /* of the failure */
    uint64_t needed;    /* with a result of -ENOSPC: what the answer needs; of a stream: all */
    uint8_t stream[16]; /* all 0: none; else what the data is; goes as nil */
};

#define LAM_PROTOCOL_NO_RETRY UINT64_MAX

struct lam_protocol_failure {
    uint32_t code; /* enum lam_protocol_error */
    struct lam_protocol_view text;
    uint64_t retry_after_ms; /* 0: now; LAM_PROTOCOL_NO_RETRY: never; goes as nil */
    int32_t result;          /* a negative errno, or 0 */
};

enum lam_protocol_stream_state {
    LAM_PROTOCOL_STREAM_INITIALIZING = 0,
    LAM_PROTOCOL_STREAM_READY = 1,
    LAM_PROTOCOL_STREAM_TRANSFERRING = 2,
    LAM_PROTOCOL_STREAM_COMPLETE = 3,
    LAM_PROTOCOL_STREAM_FAILED = 4,
};

enum lam_protocol_stream_mode {
    LAM_PROTOCOL_STREAM_PUSH = 0,
    LAM_PROTOCOL_STREAM_PULL = 1,
    LAM_PROTOCOL_STREAM_BOTH = 2,
};

#define LAM_PROTOCOL_CHUNK_BYTES_MIN (UINT64_C(4) << 10)
#define LAM_PROTOCOL_CHUNK_BYTES_MAX (UINT64_C(1) << 20)

/* memlink names five. Nothing is lost or repeated here, and each chunk is answered: the others are
 * refused. */
#define LAM_PROTOCOL_CHUNK_LAST         1u
#define LAM_PROTOCOL_CHUNK_COMPRESSED   2u
#define LAM_PROTOCOL_CHUNK_REQUIRES_ACK 4u
#define LAM_PROTOCOL_CHUNK_RETRANSMIT   8u
#define LAM_PROTOCOL_CHUNK_FLAGS        15u

/* The handle of one, and a chunk of it. */
struct lam_protocol_stream {
    uint8_t id[16];
    uint64_t total_bytes;
    uint64_t expires_ns; /* UINT64_MAX: never; goes as nil */
    enum lam_protocol_stream_state state;
    enum lam_protocol_stream_mode mode;
    uint64_t chunk_bytes; /* 4 KiB to 1 MiB */
    uint64_t offset;
    uint32_t flags; /* LAM_PROTOCOL_CHUNK_... */
    struct lam_protocol_view data;
};

#define LAM_PROTOCOL_VERSIONS_MAX 8

/* Features; each minor version of 1 has those of the one before. */
#define LAM_PROTOCOL_STREAMING            1u /* from 1.1 */
#define LAM_PROTOCOL_BATCHING             2u /* from 1.2 */
#define LAM_PROTOCOL_PRIORITY_DEGRADATION 4u /* from 1.3, which is ours */
#define LAM_PROTOCOL_EVENTS               8u /* from 1.3: the host tells what happens in it */

struct lam_protocol_version {
    uint16_t major, minor;
    uint32_t features;
};

struct lam_protocol_negotiation {
    struct lam_protocol_version versions[LAM_PROTOCOL_VERSIONS_MAX];
    uint32_t count; /* 1 or more */
};

/*
 * What two sides agree on: of the pairs with the same major number the highest, the lower minor
 * number of the two, and of the features that both have those that this minor version has.
 *
 * Returns 0 and sets *@agreed, or -EPROTONOSUPPORT: no major number is common.
 */
int lam_protocol_negotiate(const struct lam_protocol_negotiation *ours,
    const struct lam_protocol_negotiation *theirs, struct lam_protocol_version *agreed);

struct lam_protocol_health {
    struct lam_protocol_view module; /* empty: the whole host */
};

#define LAM_PROTOCOL_LOAD_REPLACE    1u /* the module of that name, under load: a reload */
#define LAM_PROTOCOL_LOAD_KEEP_STATE 2u /* of a reload */
#define LAM_PROTOCOL_LOAD_COUNTS     4u /* lam_module_options.counts_calls */
#define LAM_PROTOCOL_LOAD_FLAGS      7u

struct lam_protocol_load {
    struct lam_protocol_view reference; /* as the host resolves it; empty with REPLACE: as before */
    struct lam_protocol_view name;      /* empty: what it calls itself */
    struct lam_protocol_view config;
    uint32_t host; /* enum lam_module_host */
    uint32_t flags;
    uint64_t drain_ns; /* with REPLACE; 0: as the host likes */
};

struct lam_protocol_unload {
    struct lam_protocol_view module;
    uint64_t drain_ns; /* how long calls may finish */
};

#define LAM_PROTOCOL_STATS_MODULES 1u /* the list of modules */
#define LAM_PROTOCOL_STATS_TEXT    2u /* counts, for Prometheus */
#define LAM_PROTOCOL_STATS_FLAGS   3u

struct lam_protocol_stats {
    struct lam_protocol_view module; /* empty: all; of the list only */
    uint32_t flags;
};

struct lam_protocol_event {
    uint32_t kind; /* enum lam_runtime_event_kind of lamina/runtime/events.h */
    struct lam_protocol_view module;
    int64_t value;
    uint64_t at_ns;
    struct lam_protocol_view text;
};

/* ---- messages ---- */

struct lam_protocol_message {
    struct lam_protocol_header header; /* type says which of these it is */
    union {
        struct lam_protocol_request request;
        struct lam_protocol_response response;
        struct lam_protocol_failure error;
        struct lam_protocol_stream stream;
        struct lam_protocol_negotiation negotiate;
        struct lam_protocol_health health;
        struct lam_protocol_load load;
        struct lam_protocol_unload unload;
        struct lam_protocol_stats stats;
        struct lam_protocol_event event;
    } body;
};

/*
 * Write *@message, header and body, to the @capacity bytes at @room; body_bytes of the header is
 * set here, and in the message. @room NULL only counts.
 *
 * Returns 0 and sets *@bytes to what it has, or
 *   -ENOSPC   @capacity is too little; *@bytes says what is needed
 *   -EMSGSIZE the body is above LAM_PROTOCOL_BODY_BYTES_MAX
 *   -EINVAL   no such type, or a number of it is outside its range
 */
int lam_protocol_write_message(
    struct lam_protocol_message *message, void *room, uint64_t capacity, uint64_t *bytes);

/*
 * Read @count bytes at @bytes, whatever they are, as one message. Views lie in them.
 *
 * Returns 0, or as lam_protocol_read(), or -EBADMSG the body is not what its type wants; @error
 * says which element it is, and why.
 */
int lam_protocol_read_message(struct lam_protocol_message *message, const uint8_t *bytes,
    uint64_t count, struct lam_error *error);

/* ---- what the data of a response is, for all but a request ---- */

enum lam_protocol_health_state {
    LAM_PROTOCOL_UNKNOWN = 0,
    LAM_PROTOCOL_HEALTHY = 1,
    LAM_PROTOCOL_UNREADY = 2,
    LAM_PROTOCOL_UNHEALTHY = 3,
};

struct lam_protocol_health_report {
    enum lam_protocol_health_state state;
    int32_t detail; /* what its probe returned */
    struct lam_protocol_view text;
};

struct lam_protocol_module {
    struct lam_protocol_view name; /* at most LAM_NAME_BYTES_MAX - 1 bytes */
    struct lam_version version;
    uint32_t phase; /* enum lam_module_phase */
    uint32_t calls;
    uint32_t draining;
    uint64_t generation;
};

/* Written from @modules; when read they are in @packed, for lam_protocol_next_module(). */
struct lam_protocol_stats_report {
    const struct lam_protocol_module *modules;
    uint32_t module_count;
    struct lam_protocol_view packed;
    struct lam_protocol_view text;
};

/* Each as lam_protocol_write_message(), of the data alone. */
int lam_protocol_write_negotiation(const struct lam_protocol_negotiation *negotiation, void *room,
    uint64_t capacity, uint64_t *bytes);
int lam_protocol_write_stream(
    const struct lam_protocol_stream *stream, void *room, uint64_t capacity, uint64_t *bytes);
int lam_protocol_write_health_report(const struct lam_protocol_health_report *report, void *room,
    uint64_t capacity, uint64_t *bytes);
int lam_protocol_write_module(
    const struct lam_protocol_module *module, void *room, uint64_t capacity, uint64_t *bytes);
int lam_protocol_write_stats_report(
    const struct lam_protocol_stats_report *report, void *room, uint64_t capacity, uint64_t *bytes);

/* Each returns 0, or -EBADMSG with @error. */
int lam_protocol_read_negotiation(struct lam_protocol_negotiation *negotiation,
    struct lam_protocol_view data, struct lam_error *error);
int lam_protocol_read_stream(
    struct lam_protocol_stream *stream, struct lam_protocol_view data, struct lam_error *error);
int lam_protocol_read_health_report(struct lam_protocol_health_report *report,
    struct lam_protocol_view data, struct lam_error *error);
int lam_protocol_read_module(
    struct lam_protocol_module *module, struct lam_protocol_view data, struct lam_error *error);
int lam_protocol_read_stats_report(struct lam_protocol_stats_report *report,
    struct lam_protocol_view data, struct lam_error *error);

/*
 * Take the next module out of @packed of a report that was read: they were checked then.
 *
 * Returns 1 and sets *@module, or 0: that was the last.
 */
int lam_protocol_next_module(struct lam_protocol_view *packed, struct lam_protocol_module *module);

#ifdef __cplusplus
}
#endif

#endif
