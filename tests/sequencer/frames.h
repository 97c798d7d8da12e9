/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

/*
 * frames.h: one frame of each kind, and its bytes as every machine has to write them. In the test
 * they are golden, for the fuzzer they are where it begins.
 */

#include <string.h>

#include "protocol/frame.h"

struct known_frame {
    const char *name;
    enum frame_side side;
    struct frame frame;
    const char *bytes; /* in hexadecimal digits; blanks are for people */
};

#define TEXT(string) .bytes = (const uint8_t *)(string), .count = sizeof(string) - 1

static const struct known_frame known_frames[] = {
    {"hello", FRAME_OF_CLIENT,
        {.kind = FRAME_HELLO, .hello = {1, 2, UINT64_C(0x1122334455667788), 9}},
        "28000000 01 00 0000 0000000000000000 01000000 02000000 8877665544332211 0900000000000000"},
    {"proof", FRAME_OF_CLIENT,
        {.kind = FRAME_PROOF, .proof = {.key = {1, [31] = 2}, .signature = {3, [63] = 4}}},
        "70000000 02 00 0000 0000000000000000"
        "0100000000000000000000000000000000000000000000000000000000000002"
        "0300000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000004"},
    {"request", FRAME_OF_CLIENT,
        {.kind = FRAME_REQUEST, .request = UINT64_C(0x8000000000000001), .floor = 5, TEXT("abc")},
        "1b000000 03 00 0000 0100000000000080 0500000000000000 616263"},
    {"request of nothing", FRAME_OF_CLIENT, {.kind = FRAME_REQUEST, .request = 1, .floor = 1},
        "18000000 03 00 0000 0100000000000000 0100000000000000"},
    {"query", FRAME_OF_CLIENT, {.kind = FRAME_QUERY, .request = 7, TEXT("q")},
        "11000000 04 00 0000 0700000000000000 71"},
    {"subscribe", FRAME_OF_CLIENT, {.kind = FRAME_SUBSCRIBE, .request = 256},
        "10000000 05 00 0000 0001000000000000"},
    {"beat of a client", FRAME_OF_CLIENT, {.kind = FRAME_BEAT},
        "10000000 06 00 0000 0000000000000000"},
    {"beat of a node", FRAME_OF_NODE, {.kind = FRAME_BEAT}, "10000000 06 00 0000 0000000000000000"},
    {"bye", FRAME_OF_CLIENT, {.kind = FRAME_BYE, .is_over = 1},
        "11000000 07 00 0000 0000000000000000 01"},
    {"challenge", FRAME_OF_NODE,
        {.kind = FRAME_CHALLENGE, .challenge = {.random = {1, [31] = 2}, .node = {3, [15] = 4}}},
        "40000000 10 00 0000 0000000000000000"
        "0100000000000000000000000000000000000000000000000000000000000002"
        "03000000000000000000000000000004"},
    {"welcome", FRAME_OF_NODE, {.kind = FRAME_WELCOME, .welcome = {1, 2, 3, 4, 5, 6, 7, 8}},
        "40000000 11 00 0000 0000000000000000 0100000000000000 0200000000000000 0300000000000000"
        "04000000 05000000 0600000000000000 07000000 08000000"},
    {"reply", FRAME_OF_NODE, {.kind = FRAME_REPLY, .request = 3, .sequence = 4, TEXT("r")},
        "19000000 12 00 0000 0300000000000000 0400000000000000 72"},
    {"repeat", FRAME_OF_NODE,
        {.kind = FRAME_REPLY, .flags = FRAME_REPEATED, .request = 3, .sequence = 4},
        "18000000 12 01 0000 0300000000000000 0400000000000000"},
    {"refused", FRAME_OF_NODE, {.kind = FRAME_REFUSED, .request = 3, .code = 0x10002, TEXT("no")},
        "16000000 13 00 0000 0300000000000000 02000100 6e6f"},
    {"event", FRAME_OF_NODE, {.kind = FRAME_EVENT, .request = 9, .index = 1, TEXT("e")},
        "19000000 14 00 0000 0900000000000000 01000000 00000000 65"},
    {"goodbye", FRAME_OF_NODE, {.kind = FRAME_GOODBYE, .code = GOODBYE_ENDING, TEXT("end")},
        "17000000 15 00 0000 0000000000000000 02010000 656e64"},
};

#define KNOWN_FRAMES (sizeof(known_frames) / sizeof(known_frames[0]))

static inline unsigned frames_digit(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Its bytes, at most 128. Returns how many. */
static inline uint32_t frames_bytes(const struct known_frame *known, uint8_t bytes[128])
{
    uint32_t count = 0;

    for (const char *at = known->bytes; *at != '\0'; at += *at == ' ' ? 1 : 2)
        if (*at != ' ')
            bytes[count++] = (uint8_t)(frames_digit(at[0]) << 4 | frames_digit(at[1]));
    return count;
}

#endif
