/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/greeting.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "machine/machine.h"
#include "protocol/ed25519.h"

/* 32 bytes with the zeros behind it. */
#define CONTEXT "lamina sequencer client 1"

/* Behind the context; all little-endian. */
enum {
    TEXT_VERSION = 32,
    TEXT_FEATURES = 36,
    TEXT_RANDOM = 40,
    TEXT_NODE = 72,
    TEXT_SESSION = 88,
    TEXT_CHANNEL_KIND = 96, /* u32, u32 0; 0: none */
    TEXT_CHANNEL = 104,     /* 32 bytes */
};

_Static_assert(TEXT_NODE == TEXT_RANDOM + FRAME_CHALLENGE_BYTES &&
                   TEXT_SESSION == TEXT_NODE + FRAME_NODE_BYTES &&
                   GREETING_TEXT_BYTES == TEXT_CHANNEL + 32,
    "no holes");

void greeting_text(uint8_t text[GREETING_TEXT_BYTES], const struct frame_hello *hello,
    const struct frame_challenge *challenge)
{
    uint32_t version = htole32(hello->version), features = htole32(hello->features);
    uint64_t session = htole64(hello->session);

    memset(text, 0, GREETING_TEXT_BYTES);
    memcpy(text, CONTEXT, sizeof(CONTEXT));
    memcpy(text + TEXT_VERSION, &version, sizeof(version));
    memcpy(text + TEXT_FEATURES, &features, sizeof(features));
    memcpy(text + TEXT_RANDOM, challenge->random, FRAME_CHALLENGE_BYTES);
    memcpy(text + TEXT_NODE, challenge->node, FRAME_NODE_BYTES);
    memcpy(text + TEXT_SESSION, &session, sizeof(session));
}

static enum greeting_verdict end(struct greeting *greeting, uint32_t code, const char *text)
{
    greeting->answer = (struct frame){.kind = FRAME_GOODBYE,
        .code = code,
        .bytes = (const uint8_t *)text,
        .count = (uint32_t)strlen(text)};
    return greeting->verdict = GREETING_ENDS;
}

static enum greeting_verdict malformed(struct greeting *greeting)
{
    return end(greeting, REFUSED_MALFORMED, "a connection begins with HELLO, in its form");
}

/* One sentence for all reasons: who tries keys learns nothing. */
static enum greeting_verdict deny(struct greeting *greeting)
{
    return end(greeting, REFUSED_DENIED, "the node does not let this key in");
}

static enum greeting_verdict admit_uid(struct greeting *greeting, uint32_t role)
{
    uint32_t uid = htole32((uint32_t)greeting->uid);

    greeting->role = role;
    memcpy(greeting->identity + sizeof(greeting->identity) - sizeof(uid), &uid, sizeof(uid));
    return greeting->verdict = GREETING_ADMITS;
}

static enum greeting_verdict take_hello(
    struct greeting *greeting, const struct greeting_rules *rules, const struct frame *frame)
{
    uint32_t role = 0;

    greeting->hello = frame->hello;
    greeting->has_hello = 1;
    if (frame->hello.version != FRAME_VERSION)
        return end(greeting, GOODBYE_VERSION, "this node speaks version 1 of the protocol alone");
    if (frame->hello.session == 0 && frame->hello.token != 0)
        return malformed(greeting);
    if (rules->keys == NULL ||
        (greeting->uid != (uid_t)-1 && keys_find_uid(rules->keys, greeting->uid, &role) == 1)) {
        greeting->hello.features &= rules->features;
        return admit_uid(greeting, role);
    }
    greeting->answer = (struct frame){.kind = FRAME_CHALLENGE};
    memcpy(greeting->answer.challenge.random, greeting->random, FRAME_CHALLENGE_BYTES);
    memcpy(greeting->answer.challenge.node, rules->node, FRAME_NODE_BYTES);
    greeting_text(greeting->proof.text, &greeting->hello, &greeting->answer.challenge);
    greeting->hello.features &= rules->features;
    greeting->has_challenge = 1;
    return greeting->verdict = GREETING_SENDS;
}

void greeting_begin(struct greeting *greeting, uint64_t now_ns, uid_t uid,
    const uint8_t random[FRAME_CHALLENGE_BYTES])
{
    *greeting = (struct greeting){.uid = uid, .deadline_ns = now_ns + GREETING_DEADLINE_NS};
    memcpy(greeting->random, random, FRAME_CHALLENGE_BYTES);
}

enum greeting_verdict greeting_take(struct greeting *greeting, const struct greeting_rules *rules,
    const uint8_t *bytes, uint32_t count)
{
    struct frame frame;

    LAM_ASSERT(greeting->verdict != GREETING_ADMITS && greeting->verdict != GREETING_ENDS);
    if (frame_decode(&frame, FRAME_OF_CLIENT, bytes, count) != 0)
        return malformed(greeting);
    if (frame.kind == FRAME_HELLO && !greeting->has_hello)
        return take_hello(greeting, rules, &frame);
    if (frame.kind == FRAME_PROOF && greeting->has_challenge &&
        greeting->verdict != GREETING_VERIFIES) {
        greeting->proof.shown = frame.proof;
        return greeting->verdict = GREETING_VERIFIES;
    }
    return malformed(greeting);
}

enum greeting_verdict greeting_due(struct greeting *greeting, uint64_t now_ns)
{
    if (now_ns < greeting->deadline_ns || greeting->verdict >= GREETING_VERIFIES)
        return GREETING_WAITS;
    return end(greeting, GOODBYE_LATE, "the greeting took too long: it has five seconds");
}

int greeting_verify(const struct greeting_proof *proof)
{
    return ed25519_verify(
        proof->shown.key, proof->shown.signature, proof->text, sizeof(proof->text));
}

enum greeting_verdict greeting_verified(
    struct greeting *greeting, const struct greeting_rules *rules, int result)
{
    uint32_t role;

    if (greeting->verdict == GREETING_ENDS) /* by a frame that came meanwhile */
        return GREETING_ENDS;
    LAM_ASSERT(greeting->verdict == GREETING_VERIFIES);
    if (result < 0)
        return end(greeting, REFUSED_BUSY, "the node could not look at the signature; come again");
    if (result != 1 || rules->keys == NULL ||
        keys_find(rules->keys, greeting->proof.shown.key, &role) != 1)
        return deny(greeting);
    greeting->role = role;
    memcpy(greeting->identity, greeting->proof.shown.key, sizeof(greeting->identity));
    return greeting->verdict = GREETING_ADMITS;
}
