/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_FRAME_H
#define LAM_SEQUENCER_FRAME_H

/*
 * frame.h: what clients and a node say to each other, over any transport. All numbers are
 * little-endian. On a byte stream frames follow each other; in shared memory each is a message.
 *
 *     byte 0   bytes     4  of the whole frame, these four among them
 *     byte 4   kind      1
 *     byte 5   flags     1
 *     byte 6   reserved  2  zeros
 *     byte 8   request   8  the client's number, echoed; of SUBSCRIBE and EVENT a sequence
 *     byte 16  body         as the kind says
 *
 * A connection begins with HELLO. The node answers CHALLENGE, where it wants a signature
 * (greeting.h), or WELCOME, or GOODBYE. Then requests are answered in their order, each by one
 * REPLY or REFUSED. A session's requests are numbered from 1; its queries share the numbers. A
 * SUBSCRIBE is answered by REPLY, whose sequence is the first that will be told of, or REFUSED.
 * BYE is answered by the end of the connection.
 *
 * Reserved bytes, flags that the kind does not have, a request where there is none and bytes
 * behind the body are zeros or not there: any other frame is refused.
 */

#include <stdint.h>

#define FRAME_HEADER_BYTES    16
#define FRAME_HEAD_BYTES_MAX  128 /* header and all of a body but its last, long part */
#define FRAME_BYTES_MAX       (UINT32_C(1) << 24)
#define FRAME_VERSION         1
#define FRAME_KEY_BYTES       32
#define FRAME_SIGNATURE_BYTES 64
#define FRAME_CHALLENGE_BYTES 32
#define FRAME_NODE_BYTES      16

enum frame_kind {
    /* From the client. */
    FRAME_HELLO = 1,     /* u32 version, u32 features, u64 session (0: a new one), u64 token */
    FRAME_PROOF = 2,     /* 32 public key, 64 signature */
    FRAME_REQUEST = 3,   /* u64 floor, then the application's bytes */
    FRAME_QUERY = 4,     /* the application's bytes; request: any number, echoed */
    FRAME_SUBSCRIBE = 5, /* request: the sequence from which on; 0: from now on */
    FRAME_BEAT = 6,      /* nothing; either side */
    FRAME_BYE = 7,       /* u8 1: the session is over, too; 0: the connection alone */
    /* From the node. */
    FRAME_CHALLENGE = 16, /* 32 random bytes, 16 of the node's journal: whose it is */
    FRAME_WELCOME = 17,   /* u64 session, u64 token, u64 floor, u32 window, u32 bytes_max,
                             u64 heartbeat_ns, u32 version, u32 features */
    FRAME_REPLY = 18,     /* u64 sequence, then the application's bytes. Flag 1: a repeat */
    FRAME_REFUSED = 19,   /* u32 code, then text */
    FRAME_EVENT = 20,   /* request: its sequence; u32 index, u32 0, then the application's bytes */
    FRAME_GOODBYE = 21, /* u32 code, then text: the connection ends */
};

#define FRAME_REPEATED 1

/* Codes of GOODBYE, beside those of REFUSED (enum refusal of machine.h). */
enum frame_goodbye {
    GOODBYE_VERSION = 0x100,  /* no version or feature in common. For good */
    GOODBYE_LATE = 0x101,     /* the greeting took too long, or nothing was heard. Come again */
    GOODBYE_ENDING = 0x102,   /* the node ends. Come again */
    GOODBYE_REPLACED = 0x103, /* the session goes on by another connection. For good */
};

enum frame_side { FRAME_OF_CLIENT, FRAME_OF_NODE };

struct frame_hello {
    uint32_t version, features;
    uint64_t session, token;
};

struct frame_proof {
    uint8_t key[FRAME_KEY_BYTES], signature[FRAME_SIGNATURE_BYTES];
};

struct frame_challenge {
    uint8_t random[FRAME_CHALLENGE_BYTES], node[FRAME_NODE_BYTES];
};

struct frame_welcome {
    uint64_t session, token;
    uint64_t floor; /* of the session: the lowest number that may have no answer yet */
    uint32_t window, bytes_max;
    uint64_t heartbeat_ns; /* 0: none */
    uint32_t version, features;
};

/* One frame, taken apart. */
struct frame {
    enum frame_kind kind;
    uint8_t flags;
    uint64_t request;
    union {
        struct frame_hello hello;
        struct frame_proof proof;
        struct frame_challenge challenge;
        struct frame_welcome welcome;
        uint64_t floor;    /* REQUEST */
        uint64_t sequence; /* REPLY */
        uint32_t code;     /* REFUSED, GOODBYE */
        uint32_t index;    /* EVENT */
        uint8_t is_over;   /* BYE */
    };
    /* What the body ends with: the application's bytes or a text, which has no zero behind it. */
    const uint8_t *bytes;
    uint32_t count;
};

/*
 * How long the frame is that @bytes of a stream begin with, of at most @bytes_max.
 *
 * Returns 1 and *@length, once its first four bytes are among @count; 0: they are not; -EPROTO:
 * shorter than a header; -EMSGSIZE: longer than @bytes_max.
 */
int frame_length(const uint8_t *bytes, uint64_t count, uint32_t bytes_max, uint32_t *length);

/*
 * Take apart the one whole frame in @count bytes, any bytes, of whom @side says. frame->bytes is
 * within them. Returns 0, or -EPROTO: they are no such frame.
 */
int frame_decode(struct frame *frame, enum frame_side side, const uint8_t *bytes, uint64_t count);

/*
 * The frame but for frame->bytes, which follow it: what a vectored send begins with. Its parts
 * are as frame_decode leaves them, and the whole is no longer than FRAME_BYTES_MAX: asserted.
 * Returns how many bytes of @head it has.
 */
uint32_t frame_encode_head(const struct frame *frame, uint8_t head[FRAME_HEAD_BYTES_MAX]);

/* All of it. Returns its bytes, or 0: they are more than @room, and nothing was written. */
uint32_t frame_encode(const struct frame *frame, uint8_t *bytes, uint64_t room);

#endif
