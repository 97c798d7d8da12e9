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
 * A connection begins with HELLO. The node answers CHALLENGE, where it wants a signature, or
 * WELCOME, or GOODBYE. Then requests are answered in their order, each by one REPLY or REFUSED.
 */

#include <stdint.h>

#define FRAME_HEADER_BYTES 16
#define FRAME_VERSION      1

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
    FRAME_CHALLENGE = 16, /* 32 random bytes */
    FRAME_WELCOME = 17,   /* u64 session, u64 token, u64 floor, u32 window, u32 bytes_max,
                             u64 heartbeat_ns, u32 version, u32 features */
    FRAME_REPLY = 18,     /* u64 sequence, then the application's bytes. Flag 1: a repeat */
    FRAME_REFUSED = 19,   /* u32 code, then text */
    FRAME_EVENT = 20,   /* request: its sequence; u32 index, u32 0, then the application's bytes */
    FRAME_GOODBYE = 21, /* u32 code, then text: the connection ends */
};

#define FRAME_REPEATED 1

#endif
