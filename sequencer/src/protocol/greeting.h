/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_GREETING_H
#define LAM_SEQUENCER_GREETING_H

/*
 * greeting.h: how a connection begins, the node's side: who it is, and as what it is let in. Pure:
 * frames in, what to do out; it calls nothing but greeting_verify's libcrypto. One for each
 * connection, for one thread, but for greeting_verify.
 *
 *     client                 node
 *     HELLO       ------->
 *                 <-------   CHALLENGE     where there are keys, and the peer's uid is none of them
 *     PROOF       ------->   greeting_verify()
 *                 <-------   WELCOME       the reader's, once the session is open; or GOODBYE
 *
 * Verification takes about 100 us, so it is a function of its own that any thread may run: the
 * connection is held meanwhile, and the others are not. An unknown key costs as much as a wrong
 * signature, and is told the same.
 *
 * What is signed is greeting_text: a context that no other protocol signs, the protocol's version
 * and features as they were in HELLO, the challenge, whose journal the node says it has, the
 * session that is resumed, and what the channel is bound to. That last part is zeros today:
 *
 *     unix, shm  nothing of the channel is signed. The kernel says who is at the other end; a
 *                process that stands between must own a name that the client looks up
 *     tcp        nothing either: who can sit in the middle can pass a proof on and speak in its
 *                place, and reads everything. Between machines use a tunnel; TLS, when it comes,
 *                signs its exported key here
 *
 * A proof is of no use at another node (its journal is another one), a second time (the challenge
 * is another one), or for another session.
 */

#include <stdint.h>
#include <sys/types.h>

#include "protocol/frame.h"
#include "protocol/keys.h"

#define GREETING_TEXT_BYTES  136
#define GREETING_DEADLINE_NS UINT64_C(5000000000) /* from a connection to its admission */

/* What to do. */
enum greeting_verdict {
    GREETING_WAITS = 0,    /* for a frame, up to deadline_ns */
    GREETING_SENDS = 1,    /* greeting->answer */
    GREETING_VERIFIES = 2, /* greeting_verify(&greeting->proof), then greeting_verified */
    GREETING_ADMITS = 3,   /* open or resume greeting->hello.session for role and identity */
    GREETING_ENDS = 4,     /* send greeting->answer, a GOODBYE, and close */
};

/* All that a verification needs, so that it may be copied to where one is made. */
struct greeting_proof {
    struct frame_proof shown;
    uint8_t text[GREETING_TEXT_BYTES];
};

/* The node's. Other keys may be put here between two calls: they hold from then on. */
struct greeting_rules {
    const struct keys *keys; /* NULL: whom the transport lets in, as role 0 */
    uint8_t node[FRAME_NODE_BYTES];
    uint32_t features; /* that the node has */
};

struct greeting {
    enum greeting_verdict verdict;
    int has_hello, has_challenge;
    uint64_t deadline_ns;
    uid_t uid;
    uint8_t random[FRAME_CHALLENGE_BYTES];
    struct frame_hello hello; /* features: those of both */
    struct greeting_proof proof;
    struct frame answer; /* its text is a constant */
    uint32_t role;
    uint8_t identity[32]; /* the key, or zeros and the uid in the last four bytes, as record_open */
};

/*
 * A connection has come. @uid: of its peer, (uid_t)-1 where that is not known. @random: nobody
 * outside knew it, and nobody will see it again.
 */
void greeting_begin(struct greeting *greeting, uint64_t now_ns, uid_t uid,
    const uint8_t random[FRAME_CHALLENGE_BYTES]);

/* A frame has come, any bytes. Not after ADMITS or ENDS; during VERIFIES it ends all. */
enum greeting_verdict greeting_take(struct greeting *greeting, const struct greeting_rules *rules,
    const uint8_t *bytes, uint32_t count);

/* It is @now_ns. ENDS where that is too late, or WAITS. A verification is let end. */
enum greeting_verdict greeting_due(struct greeting *greeting, uint64_t now_ns);

/* About 100 us; any thread. Returns 1, 0, -ENOTSUP or -ENOMEM. */
int greeting_verify(const struct greeting_proof *proof);

/* What greeting_verify returned. */
enum greeting_verdict greeting_verified(
    struct greeting *greeting, const struct greeting_rules *rules, int result);

/* What a client signs: @hello as it was sent. */
void greeting_text(uint8_t text[GREETING_TEXT_BYTES], const struct frame_hello *hello,
    const struct frame_challenge *challenge);

#endif
