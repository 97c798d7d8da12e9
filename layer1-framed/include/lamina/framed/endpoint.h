/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_ENDPOINT_H
#define LAM_FRAMED_ENDPOINT_H

/*
 * lamina/framed/endpoint.h: what a daemon and its clients say to each other before messages flow.
 *
 * Framed, layer 1. An endpoint is a name at which a daemon (lamina/framed/daemon.h) is found by
 * clients (lamina/framed/client.h): the socket NAME.sock in the directory of endpoints, and beside
 * it NAME.lock, whose lock the living daemon holds; a socket that is about to appear is called
 * .NAME.sock.new, and where a daemon died then the next one removes it. Over the socket both agree
 * on what they speak, and the daemon passes the client's rings. Messages never go over the socket.
 *
 * Packets of a SOCK_SEQPACKET socket, one after another: HELLO to the daemon; WELCOME and the rings
 * (lamina/ring/pass.h: of each lane the one to the daemon, then the one to the client; last the one
 * of answers), or REFUSED, to the client; READY to the daemon. From then on GOODBYE, PING and PONG,
 * both ways, and REFUSED to a client that is sent away, and should not come back: found is the
 * reason then. All numbers are little-endian, all sizes are fixed, bytes that are not named are 0:
 *
 *     byte 0  magic  64 bits  "LAMENDP1"
 *     byte 8  type   16 bits  LAM_ENDPOINT_HELLO ...
 *     byte 10 bytes  16 bits  of the whole packet
 *     byte 12        32 bits  HELLO: the wires it speaks, lowest and highest, 16 bits each.
 *                             WELCOME: the wire chosen. GOODBYE: the reason
 *
 *     HELLO, 192 bytes               WELCOME, 160 bytes           REFUSED, 240 bytes
 *     16 version_min, 20 _max  u32   16 version, 20 lanes  u32    16 code, 20 field      u32
 *     24 features_required     u64   24 features           u64    24 found               u64
 *     32 features_offered      u64   32 session            u64    32 expected_min        u64
 *     40 type_hash             u64   40 depth              u64    40 expected_max        u64
 *     48 client_id             u64   48 message_bytes_max  u64    48 text, terminated
 *     56 session before        u64   56 cell_bytes         u32
 *     64 depth                 u64   64 identity, 24 bytes        GOODBYE, 112 bytes
 *     72 message_bytes_max     u64   88 name, 64 bytes,           16 text, terminated
 *     80 cell_bytes, 84 lanes  u32      terminated
 *     88 flags                 u32   60 extensions, 61 pressure   PING, PONG, 24 bytes
 *     92 extensions offered,            u8, 62 0                  16 number              u64
 *        93 required, 94 pressure u8
 *     96 identity, 24 bytes:                                      READY, 16 bytes
 *        boot, start_ticks u64,
 *        pid, pid_space u32
 *    120 name, 64 bytes, terminated
 *    184 0
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/base/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_ENDPOINT_NAME_MAX  63 /* of an endpoint, and of a client, without the terminator */
#define LAM_ENDPOINT_PATH_MAX  511
#define LAM_ENDPOINT_WIRE      1 /* the only one there is so far */
#define LAM_ENDPOINT_LANES_MAX 3
#define LAM_ENDPOINT_RINGS     7 /* of each client */

enum lam_endpoint_packet {
    LAM_ENDPOINT_HELLO = 1,
    LAM_ENDPOINT_WELCOME = 2,
    LAM_ENDPOINT_REFUSED = 3,
    LAM_ENDPOINT_READY = 4,
    LAM_ENDPOINT_GOODBYE = 5,
    LAM_ENDPOINT_PING = 6,
    LAM_ENDPOINT_PONG = 7,
};

#define LAM_ENDPOINT_HEAD_BYTES    16
#define LAM_ENDPOINT_HELLO_BYTES   192
#define LAM_ENDPOINT_WELCOME_BYTES 160
#define LAM_ENDPOINT_REFUSED_BYTES 240
#define LAM_ENDPOINT_GOODBYE_BYTES 112
#define LAM_ENDPOINT_PING_BYTES    24
#define LAM_ENDPOINT_PACKET_MAX    256 /* no packet is longer */

/* Why a daemon refuses a client or sends it away; lam_client_connect() gives the error beside. */
enum lam_endpoint_code {
    LAM_ENDPOINT_MALFORMED = 1,     /* -EPROTO: a packet makes no sense */
    LAM_ENDPOINT_MISMATCH = 2,      /* -EPROTO: no common wire, version or set of features */
    LAM_ENDPOINT_OTHER_TYPE = 3,    /* -EPROTOTYPE: they speak of other types */
    LAM_ENDPOINT_TOO_LARGE = 4,     /* -EMSGSIZE: the geometry asked for is above the bounds */
    LAM_ENDPOINT_TOO_MANY = 5,      /* -EUSERS: as many clients as there may be */
    LAM_ENDPOINT_NOT_ALLOWED = 6,   /* -EACCES: the daemon does not want it, or no longer */
    LAM_ENDPOINT_NO_MEMORY = 7,     /* -ENOMEM: no memory or descriptors for the rings */
    LAM_ENDPOINT_SHUTTING_DOWN = 8, /* -EPIPE */
};

/* Which field of a HELLO or WELCOME it is about. */
enum lam_endpoint_field {
    LAM_ENDPOINT_FIELD_NONE = 0,
    LAM_ENDPOINT_FIELD_BYTES = 1, /* the packet's size, or what of it must be 0 */
    LAM_ENDPOINT_FIELD_MAGIC = 2,
    LAM_ENDPOINT_FIELD_TYPE = 3,
    LAM_ENDPOINT_FIELD_WIRE = 4,
    LAM_ENDPOINT_FIELD_VERSION = 5,
    LAM_ENDPOINT_FIELD_FEATURES_REQUIRED = 6, /* the client requires what the daemon has not */
    LAM_ENDPOINT_FIELD_FEATURES_OFFERED = 7,  /* it lacks what the daemon requires */
    LAM_ENDPOINT_FIELD_TYPE_HASH = 8,
    LAM_ENDPOINT_FIELD_DEPTH = 9,
    LAM_ENDPOINT_FIELD_MESSAGE_BYTES = 10,
    LAM_ENDPOINT_FIELD_CELL_BYTES = 11,
    LAM_ENDPOINT_FIELD_LANES = 12,
    LAM_ENDPOINT_FIELD_FLAGS = 13,
    LAM_ENDPOINT_FIELD_NAME = 14,
    LAM_ENDPOINT_FIELD_CLIENT_ID = 15,
    LAM_ENDPOINT_FIELD_EXTENSIONS = 16, /* one side requires what the other does not offer */
    LAM_ENDPOINT_FIELD_PRESSURE = 17,   /* one side requires it minded, and the other ignores it */
};

/* HELLO's flags. */
#define LAM_ENDPOINT_RESUMES        1U /* this client was here before, and resends */
#define LAM_ENDPOINT_NEEDS_PRESSURE 2U /* it wants no daemon that ignores pressure */

/* The type of a request that comes again, beside those of lamina/framed/call_message.h. */
#define LAM_ENDPOINT_CALL_AGAIN 4

/* What a client asks for. 0 in a geometry field: as the daemon likes. */
struct lam_endpoint_hello {
    uint16_t wire_min, wire_max;
    uint32_t version_min, version_max;
    uint64_t features_required, features_offered;
    uint64_t type_hash;
    uint64_t client_id; /* drawn at random, never 0, the same after a reconnect */
    uint64_t session;   /* of the connection before; 0 none */
    uint64_t depth;
    uint64_t message_bytes_max;
    uint32_t cell_bytes;
    uint32_t lanes;
    uint32_t flags;
    uint8_t extensions_offered, extensions_required; /* LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C */
    uint8_t pressure;             /* what its sends do about it: an enum lam_pressure_answer */
    struct lam_identity identity; /* as the client says; what the kernel says is another matter */
    char name[LAM_ENDPOINT_NAME_MAX + 1];
};

/* What was agreed on. */
struct lam_endpoint_welcome {
    uint16_t wire;
    uint8_t extensions; /* of every message and answer, both ways: those that both offer */
    uint8_t pressure;   /* what the daemon's sends do about it: an enum lam_pressure_answer */
    uint32_t version;   /* the highest that both speak */
    uint64_t features;  /* that both offer */
    uint64_t session;
    uint64_t depth;
    uint64_t message_bytes_max;
    uint32_t cell_bytes;
    uint32_t lanes;
    struct lam_identity identity;
    char name[LAM_ENDPOINT_NAME_MAX + 1];
};

#define LAM_ENDPOINT_REFUSED_TEXT_BYTES 192
#define LAM_ENDPOINT_GOODBYE_TEXT_BYTES 96

struct lam_endpoint_refused {
    enum lam_endpoint_code code;
    enum lam_endpoint_field field;
    uint64_t found;
    uint64_t expected_min, expected_max;
    char text[LAM_ENDPOINT_REFUSED_TEXT_BYTES];
};

/* Why a peer goes; @reason is the application's. */
struct lam_endpoint_goodbye {
    uint32_t reason;
    char text[LAM_ENDPOINT_GOODBYE_TEXT_BYTES];
};

/* What a daemon can agree to. */
struct lam_endpoint_terms {
    uint32_t version_min, version_max; /* of the application's protocol */
    uint64_t features_required, features_offered;
    uint64_t type_hash;         /* 0 any; a client's 0 is any, too */
    uint64_t depth;             /* where the client does not care */
    uint64_t depth_max;         /* the most it may ask for */
    uint64_t message_bytes_max; /* of messages of frames: bound, and default */
    uint32_t cell_bytes;        /* default */
    uint32_t cell_bytes_max;
    uint32_t lanes; /* where the client does not care */
    uint8_t extensions_offered, extensions_required;
    uint8_t pressure;          /* what the daemon's sends do about it */
    uint8_t pressure_required; /* 1: clients mind it, too */
};

/*
 * Decide on a HELLO: version the highest common one, features and extensions what both offer,
 * geometry as asked for within bounds. session, identity and name of *@welcome are left alone.
 * Pure.
 *
 * Returns 0, or -EPROTO, -EPROTOTYPE or -EMSGSIZE with *@refused: code, field, found, expected.
 */
int lam_endpoint_negotiate(const struct lam_endpoint_terms *terms,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused);

/*
 * Write a packet's bytes; all of them, the unnamed ones 0. Pure.
 */
void lam_endpoint_write_hello(
    const struct lam_endpoint_hello *hello, uint8_t bytes[LAM_ENDPOINT_HELLO_BYTES]);
void lam_endpoint_write_welcome(
    const struct lam_endpoint_welcome *welcome, uint8_t bytes[LAM_ENDPOINT_WELCOME_BYTES]);
void lam_endpoint_write_refused(
    const struct lam_endpoint_refused *refused, uint8_t bytes[LAM_ENDPOINT_REFUSED_BYTES]);
void lam_endpoint_write_goodbye(
    const struct lam_endpoint_goodbye *goodbye, uint8_t bytes[LAM_ENDPOINT_GOODBYE_BYTES]);
/* @type: LAM_ENDPOINT_PING, _PONG. Or _READY, whose bytes end before @number. */
uint32_t lam_endpoint_write_small(
    enum lam_endpoint_packet type, uint64_t number, uint8_t bytes[LAM_ENDPOINT_PING_BYTES]);

/*
 * Which packet @bytes is, @count of them: magic, type, and the size that the type has. Pure.
 *
 * Returns its type, or -EPROTO with *@refused.
 */
int lam_endpoint_packet_type(
    const uint8_t *bytes, size_t count, struct lam_endpoint_refused *refused);

/*
 * Read a packet of that type, which lam_endpoint_packet_type() has found. Pure; any bytes.
 *
 * Returns 0, or -EPROTO with *@refused: a name or a text without an end, a range upside down, what
 * is to be 0 and is not, a size that is no power of two, impossible lanes, extensions or pressure.
 */
int lam_endpoint_read_hello(
    const uint8_t *bytes, struct lam_endpoint_hello *hello, struct lam_endpoint_refused *refused);
int lam_endpoint_read_welcome(const uint8_t *bytes, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused);
int lam_endpoint_read_refused(
    const uint8_t *bytes, struct lam_endpoint_refused *got, struct lam_endpoint_refused *refused);
int lam_endpoint_read_goodbye(const uint8_t *bytes, struct lam_endpoint_goodbye *goodbye,
    struct lam_endpoint_refused *refused);
uint64_t lam_endpoint_read_number(const uint8_t *bytes);

/* The error that goes with a refusal: see enum lam_endpoint_code; -EPROTO for an unknown one. */
int lam_endpoint_refusal_error(enum lam_endpoint_code code);

/*
 * The directory of endpoints: $LAMINA_RUN_DIR, else /run/lamina where it is there, else
 * $XDG_RUNTIME_DIR/lamina. Makes nothing.
 *
 * Returns 0, or -ENOENT none is known, -ENAMETOOLONG; @error says what to set.
 */
int lam_endpoint_directory(char path[LAM_ENDPOINT_PATH_MAX + 1], struct lam_error *error);

/* The word for @field: "version", "depth" ...; "unknown" for a number that stands for none. */
const char *lam_endpoint_field_name(enum lam_endpoint_field field);

/*
 * The word for what a call of layer 1 returned: "ok", "full" (0 of a try), "disconnected", "died",
 * "timeout", "too large", "protocol mismatch", "other type", "poisoned", "evicted", "cancelled",
 * "too many", "not allowed"; else "error". @is_try: the call was a try_ one, whose 0 is full.
 */
const char *lam_framed_error_name(int rc, int is_try);

#ifdef __cplusplus
}
#endif

#endif
