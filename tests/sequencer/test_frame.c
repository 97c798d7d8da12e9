/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_frame.c: frames are the same bytes on every machine, and nothing else is a frame.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "frames.h"

TestSuite(frame, .timeout = 60);

/* Memory that ends where the frame does: a sanitizer sees who reads behind it. */
static uint8_t *exactly(const uint8_t *bytes, size_t count)
{
    uint8_t *copy = malloc(count + (count == 0));

    memcpy(copy, bytes, count);
    return copy;
}

static int decode(struct frame *frame, enum frame_side side, const uint8_t *bytes, size_t count)
{
    uint8_t *copy = exactly(bytes, count);
    int rc = frame_decode(frame, side, copy, count);

    free(copy);
    return rc;
}

Test(frame, its_bytes_are_the_same_on_every_machine)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        uint8_t want[128], found[128];
        uint32_t count = frames_bytes(known, want);

        cr_assert(
            eq(u32, frame_encode(&known->frame, found, sizeof(found)), count), "%s", known->name);
        cr_assert(memcmp(want, found, count) == 0, "%s", known->name);
    }
}

Test(frame, what_was_written_is_read)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        uint8_t bytes[128], again[128];
        uint32_t count = frames_bytes(known, bytes);
        struct frame frame;

        cr_assert(eq(int, frame_decode(&frame, known->side, bytes, count), 0), "%s", known->name);
        cr_assert(eq(u32, frame.count, known->frame.count), "%s", known->name);
        cr_assert(frame.bytes + frame.count == bytes + count, "%s", known->name);
        cr_assert(eq(u64, frame.request, known->frame.request));
        cr_assert(eq(int, (int)frame.kind, (int)known->frame.kind));
        cr_assert(eq(u32, frame_encode(&frame, again, sizeof(again)), count));
        cr_assert(memcmp(bytes, again, count) == 0, "%s", known->name);
    }
}

Test(frame, each_field_is_where_it_was)
{
    uint8_t bytes[128];
    struct frame frame;

    cr_assert(eq(int,
        frame_decode(&frame, FRAME_OF_NODE, bytes, frames_bytes(&known_frames[10], bytes)), 0));
    cr_assert(eq(int, (int)frame.kind, FRAME_WELCOME));
    cr_assert(eq(u64, frame.welcome.session, 1));
    cr_assert(eq(u64, frame.welcome.token, 2));
    cr_assert(eq(u64, frame.welcome.floor, 3));
    cr_assert(eq(u32, frame.welcome.window, 4));
    cr_assert(eq(u32, frame.welcome.bytes_max, 5));
    cr_assert(eq(u64, frame.welcome.heartbeat_ns, 6));
    cr_assert(eq(u32, frame.welcome.version, 7));
    cr_assert(eq(u32, frame.welcome.features, 8));
}

Test(frame, every_length_but_its_own_is_refused)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        uint8_t bytes[160] = {0};
        uint32_t count = frames_bytes(known, bytes);
        struct frame frame;

        for (uint32_t other = 0; other < count + 16; other++)
            if (other != count)
                cr_assert(eq(int, decode(&frame, known->side, bytes, other), -EPROTO), "%s: %u",
                    known->name, other);
    }
}

/* The length says so, too: a fixed part cut short, or bytes behind a body that has no last part. */
Test(frame, a_body_is_as_long_as_its_kind_says)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        uint8_t bytes[160] = {0};
        uint32_t count = frames_bytes(known, bytes);
        uint32_t least = count - known->frame.count;
        int is_open = known->frame.kind == FRAME_REQUEST || known->frame.kind == FRAME_QUERY ||
                      known->frame.kind == FRAME_REPLY || known->frame.kind == FRAME_REFUSED ||
                      known->frame.kind == FRAME_EVENT || known->frame.kind == FRAME_GOODBYE;

        for (uint32_t other = FRAME_HEADER_BYTES; other < count + 16; other++) {
            int fits = other == least || (is_open && other > least);
            struct frame frame;

            bytes[0] = (uint8_t)other;
            cr_assert(eq(int, decode(&frame, known->side, bytes, other), fits ? 0 : -EPROTO),
                "%s: %u", known->name, other);
        }
    }
}

Test(frame, the_other_sides_frames_are_refused)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        enum frame_side other = known->side == FRAME_OF_NODE ? FRAME_OF_CLIENT : FRAME_OF_NODE;
        uint8_t bytes[128];
        uint32_t count = frames_bytes(known, bytes);
        struct frame frame;

        cr_assert(eq(int, frame_decode(&frame, other, bytes, count),
            known->frame.kind == FRAME_BEAT ? 0 : -EPROTO));
    }
}

/* What is reserved today would mean something else to a later peer. */
Test(frame, what_a_kind_does_not_have_is_zero)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        const struct known_frame *known = &known_frames[i];
        uint8_t bytes[128];
        uint32_t count = frames_bytes(known, bytes);
        struct frame frame;

        for (unsigned bit = 0; bit < 24; bit++) { /* flags and reserved */
            int is_repeat = bit == 0 && known->frame.kind == FRAME_REPLY;

            bytes[5 + bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_assert(
                eq(int, frame_decode(&frame, known->side, bytes, count), is_repeat ? 0 : -EPROTO));
            bytes[5 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        bytes[15] ^= 0x40;
        cr_assert(eq(int, frame_decode(&frame, known->side, bytes, count),
            known->frame.request != 0 ? 0 : -EPROTO));
    }
}

Test(frame, values_that_nobody_writes_are_refused)
{
    uint8_t bytes[128] = {0};
    struct frame frame;

    bytes[0] = FRAME_HEADER_BYTES;
    for (unsigned kind = 0; kind < 256; kind++) {
        int is_known = kind == FRAME_QUERY || kind == FRAME_SUBSCRIBE || kind == FRAME_BEAT;

        bytes[4] = (uint8_t)kind;
        cr_assert(eq(int, frame_decode(&frame, FRAME_OF_CLIENT, bytes, FRAME_HEADER_BYTES),
            is_known ? 0 : -EPROTO));
    }
    frame = (struct frame){.kind = FRAME_EVENT};
    cr_assert(eq(u32, frame_encode(&frame, bytes, sizeof(bytes)), 24));
    bytes[20] = 1;
    cr_assert(eq(int, frame_decode(&frame, FRAME_OF_NODE, bytes, 24), -EPROTO));
    frame = (struct frame){.kind = FRAME_BYE};
    cr_assert(eq(u32, frame_encode(&frame, bytes, sizeof(bytes)), 17));
    bytes[16] = 2;
    cr_assert(eq(int, frame_decode(&frame, FRAME_OF_CLIENT, bytes, 17), -EPROTO));
}

Test(frame, a_stream_is_cut_by_lengths_within_bounds)
{
    static const struct {
        uint32_t says;
        int rc;
    } tries[] = {{0, -EPROTO}, {15, -EPROTO}, {16, 1}, {64, 1}, {65, -EMSGSIZE},
        {UINT32_MAX, -EMSGSIZE}, {0x80000010, -EMSGSIZE}};

    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        uint8_t bytes[4] = {(uint8_t)tries[i].says, (uint8_t)(tries[i].says >> 8),
            (uint8_t)(tries[i].says >> 16), (uint8_t)(tries[i].says >> 24)};
        uint32_t length = 0;

        for (uint64_t count = 0; count < 4; count++) {
            uint8_t *cut = exactly(bytes, count);

            cr_assert(eq(int, frame_length(cut, count, 64, &length), 0));
            free(cut);
        }
        cr_assert(eq(int, frame_length(bytes, 4, 64, &length), tries[i].rc));
        if (tries[i].rc == 1)
            cr_assert(eq(u32, length, tries[i].says));
    }
}

Test(frame, what_does_not_fit_is_not_written)
{
    for (size_t i = 0; i < KNOWN_FRAMES; i++) {
        uint8_t bytes[128];
        uint32_t count = frames_bytes(&known_frames[i], bytes);
        uint8_t *room = malloc(count);

        memset(room, 0xee, count);
        cr_assert(eq(u32, frame_encode(&known_frames[i].frame, room, count - 1), 0));
        for (uint32_t k = 0; k < count; k++)
            cr_assert(room[k] == 0xee);
        cr_assert(eq(u32, frame_encode(&known_frames[i].frame, room, count), count));
        free(room);
    }
}
