/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_greeting.c: who is let in, and as what; what is signed, and that nothing else opens the
 * door. The client's side is played by hand, with keys of fixed seeds.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "protocol/ed25519.h"
#include "protocol/greeting.h"

#define NOBODY ((uid_t)-1)

static const uint8_t seed[32] = {1, 2, 3}, other_seed[32] = {4, 5, 6};
static const uint8_t random_bytes[32] = {7, 8, 9};
static uint8_t key[32], other_key[32];
static struct keys keys;
static struct greeting_rules rules;
static struct greeting greeting;
static struct frame_hello hello;

static void keys_of(const char *text)
{
    struct lam_error error = {""};

    keys_free(&keys);
    cr_assert(eq(int, keys_parse(&keys, text, strlen(text), "keys", &error), 0), "%s", error.text);
    rules.keys = &keys;
}

/* "7 KEY test", and user 1000 as 9. */
static void setup(void)
{
    char text[KEYS_BASE64_BYTES], lines[256];
    uint8_t signature[64];

    if (ed25519_missing() != NULL)
        cr_skip_test("%s", ed25519_missing());
    cr_assert(eq(int, ed25519_sign(seed, "", 0, key, signature), 0));
    cr_assert(eq(int, ed25519_sign(other_seed, "", 0, other_key, signature), 0));
    keys_text(key, text);
    (void)snprintf(lines, sizeof(lines), "# who\n\n7 %s test\n9 uid:1000 somebody\n", text);
    rules = (struct greeting_rules){.node = {1, [15] = 2}, .features = 5};
    keys_of(lines);
    hello = (struct frame_hello){.version = FRAME_VERSION, .features = 3};
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
}

static void teardown(void)
{
    keys_free(&keys);
}

TestSuite(greeting, .init = setup, .fini = teardown, .timeout = 60);

static enum greeting_verdict take(const struct frame *frame)
{
    uint8_t bytes[256];
    uint32_t count = frame_encode(frame, bytes, sizeof(bytes));

    return greeting_take(&greeting, &rules, bytes, count);
}

static enum greeting_verdict say_hello(void)
{
    return take(&(struct frame){.kind = FRAME_HELLO, .hello = hello});
}

/* Sign what @said and @asked make, and show it. */
static enum greeting_verdict prove(
    const uint8_t *with, const struct frame_hello *said, const struct frame_challenge *asked)
{
    struct frame frame = {.kind = FRAME_PROOF};
    uint8_t text[GREETING_TEXT_BYTES];

    greeting_text(text, said, asked);
    cr_assert(
        eq(int, ed25519_sign(with, text, sizeof(text), frame.proof.key, frame.proof.signature), 0));
    cr_assert(eq(int, (int)take(&frame), GREETING_VERIFIES));
    return greeting_verified(&greeting, &rules, greeting_verify(&greeting.proof));
}

static void is_goodbye(enum greeting_verdict verdict, uint32_t code)
{
    cr_assert(eq(int, (int)verdict, GREETING_ENDS));
    cr_assert(eq(int, (int)greeting.answer.kind, FRAME_GOODBYE));
    cr_assert(eq(u32, greeting.answer.code, code));
    cr_assert(greeting.answer.count > 10);
}

Test(greeting, who_signs_with_a_listed_key_is_let_in_as_its_role)
{
    hello.session = 3;
    hello.token = 4;
    cr_assert(eq(int, (int)say_hello(), GREETING_SENDS));
    cr_assert(eq(int, (int)greeting.answer.kind, FRAME_CHALLENGE));
    cr_assert(memcmp(greeting.answer.challenge.random, random_bytes, 32) == 0);
    cr_assert(memcmp(greeting.answer.challenge.node, rules.node, 16) == 0);
    cr_assert(eq(int, (int)prove(seed, &hello, &greeting.answer.challenge), GREETING_ADMITS));
    cr_assert(eq(u32, greeting.role, 7));
    cr_assert(memcmp(greeting.identity, key, 32) == 0);
    cr_assert(eq(u64, greeting.hello.session, 3));
    cr_assert(eq(u64, greeting.hello.token, 4));
    cr_assert(eq(u32, greeting.hello.features, 1)); /* those of both */
}

Test(greeting, an_unknown_key_and_a_wrong_signature_are_told_the_same)
{
    struct frame first;

    (void)say_hello();
    is_goodbye(prove(other_seed, &hello, &greeting.answer.challenge), REFUSED_DENIED);
    first = greeting.answer;
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    (void)say_hello();
    hello.features++;
    is_goodbye(prove(seed, &hello, &greeting.answer.challenge), REFUSED_DENIED);
    cr_assert(first.bytes == greeting.answer.bytes && first.count == greeting.answer.count);
}

/* A known key's own signature, of any other text. */
Test(greeting, a_proof_is_of_one_challenge_one_node_one_session_and_one_hello)
{
    for (unsigned i = 0; i < 6; i++) {
        struct frame_challenge asked = {.node = {1, [15] = 2}};
        struct frame_hello said = hello;

        memcpy(asked.random, random_bytes, sizeof(random_bytes));
        asked.random[31] ^= i == 1;
        asked.node[15] ^= i == 2;
        said.session ^= i == 3;
        said.features ^= i == 4;
        said.version ^= i == 5;
        greeting_begin(&greeting, 1000, NOBODY, random_bytes);
        (void)say_hello();
        if (i == 0)
            cr_assert(eq(int, (int)prove(seed, &said, &asked), GREETING_ADMITS));
        else
            is_goodbye(prove(seed, &said, &asked), REFUSED_DENIED);
    }
}

/* Another protocol's signatures, and a later version's, are none of this one's. */
Test(greeting, what_is_signed_begins_with_its_own_context)
{
    struct frame_challenge asked = {.random = {1}, .node = {2}};
    uint8_t text[GREETING_TEXT_BYTES], want[GREETING_TEXT_BYTES] = "lamina sequencer client 1";

    want[32] = 0x44; /* version, features */
    want[36] = 0x33;
    want[40] = 1;    /* the challenge */
    want[72] = 2;    /* whose journal */
    want[88] = 0x11; /* session; the channel behind it: none */
    greeting_text(text,
        &(struct frame_hello){.version = 0x44, .features = 0x33, .session = 0x11, .token = 0x22},
        &asked);
    cr_assert(memcmp(text, want, sizeof(text)) == 0);
}

Test(greeting, every_flipped_bit_of_a_proof_is_refused)
{
    struct greeting_proof proof;

    (void)say_hello();
    cr_assert(eq(int, (int)prove(seed, &hello, &greeting.answer.challenge), GREETING_ADMITS));
    proof = greeting.proof;
    for (size_t bit = 0; bit < 8 * sizeof(proof); bit += 7) {
        ((uint8_t *)&proof)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert(eq(int, greeting_verify(&proof), 0), "bit %zu", bit);
        ((uint8_t *)&proof)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(eq(int, greeting_verify(&proof), 1));
}

Test(greeting, a_listed_user_of_this_machine_shows_no_key)
{
    greeting_begin(&greeting, 1000, 1000, random_bytes);
    cr_assert(eq(int, (int)say_hello(), GREETING_ADMITS));
    cr_assert(eq(u32, greeting.role, 9));
    for (unsigned i = 0; i < 32; i++)
        cr_assert(eq(u32, greeting.identity[i], i == 28 ? 1000 & 255 : i == 29 ? 1000 >> 8 : 0));
    greeting_begin(&greeting, 1000, 1001, random_bytes);
    cr_assert(eq(int, (int)say_hello(), GREETING_SENDS));
}

/* All zeros is a point of the curve for which anybody can make signatures. */
Test(greeting, a_proof_never_stands_for_a_user)
{
    struct frame frame = {.kind = FRAME_PROOF};

    keys_of("9 uid:0\n");
    (void)say_hello();
    cr_assert(eq(int, (int)take(&frame), GREETING_VERIFIES));
    is_goodbye(greeting_verified(&greeting, &rules, 1), REFUSED_DENIED);
}

Test(greeting, nobody_of_another_machine_is_a_user_of_this_one)
{
    struct lam_error error;
    struct keys none;

    cr_assert(eq(int, keys_parse(&none, "1 uid:4294967295\n", 17, "keys", &error), -EINVAL));
    cr_assert(eq(int, (int)say_hello(), GREETING_SENDS));
}

Test(greeting, without_keys_the_transport_decides)
{
    rules.keys = NULL;
    greeting_begin(&greeting, 1000, 1001, random_bytes);
    cr_assert(eq(int, (int)say_hello(), GREETING_ADMITS));
    cr_assert(eq(u32, greeting.role, 0));
    cr_assert(eq(u32, greeting.identity[28], 1001 & 255));
}

Test(greeting, other_keys_hold_from_the_next_frame_on)
{
    (void)say_hello();
    keys_of("1 uid:7\n"); /* read again while the client signs */
    is_goodbye(prove(seed, &hello, &greeting.answer.challenge), REFUSED_DENIED);
}

Test(greeting, another_version_is_told_which_one_is_spoken)
{
    hello.version = 2;
    is_goodbye(say_hello(), GOODBYE_VERSION);
}

Test(greeting, anything_out_of_turn_ends_it)
{
    static const struct frame before[] = {
        {.kind = FRAME_BEAT},
        {.kind = FRAME_PROOF},
        {.kind = FRAME_REQUEST, .request = 1},
    };
    static const uint8_t noise[20] = {20};

    for (unsigned i = 0; i < 3; i++) {
        greeting_begin(&greeting, 1000, NOBODY, random_bytes);
        is_goodbye(take(&before[i]), REFUSED_MALFORMED);
    }
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    is_goodbye(greeting_take(&greeting, &rules, noise, sizeof(noise)), REFUSED_MALFORMED);
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    (void)say_hello();
    is_goodbye(say_hello(), REFUSED_MALFORMED); /* another session behind the same challenge */
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    hello.token = 1; /* of no session */
    is_goodbye(say_hello(), REFUSED_MALFORMED);
}

Test(greeting, a_second_proof_is_not_looked_at_behind_the_first)
{
    (void)say_hello();
    cr_assert(eq(int, (int)take(&(struct frame){.kind = FRAME_PROOF}), GREETING_VERIFIES));
    is_goodbye(take(&(struct frame){.kind = FRAME_PROOF}), REFUSED_MALFORMED);
    is_goodbye(greeting_verified(&greeting, &rules, 1), REFUSED_MALFORMED);
}

Test(greeting, who_is_silent_for_five_seconds_is_sent_away)
{
    cr_assert(eq(int, (int)greeting_due(&greeting, 1000 + GREETING_DEADLINE_NS - 1), 0));
    is_goodbye(greeting_due(&greeting, 1000 + GREETING_DEADLINE_NS), GOODBYE_LATE);
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    (void)say_hello(); /* which buys no time */
    is_goodbye(greeting_due(&greeting, 1000 + GREETING_DEADLINE_NS), GOODBYE_LATE);
    greeting_begin(&greeting, 1000, NOBODY, random_bytes);
    (void)say_hello();
    (void)take(&(struct frame){.kind = FRAME_PROOF});
    cr_assert(eq(int, (int)greeting_due(&greeting, UINT64_MAX), GREETING_WAITS));
}

Test(greeting, a_signature_that_could_not_be_looked_at_is_no_denial)
{
    (void)say_hello();
    (void)take(&(struct frame){.kind = FRAME_PROOF});
    is_goodbye(greeting_verified(&greeting, &rules, -ENOMEM), REFUSED_BUSY);
}
