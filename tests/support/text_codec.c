/* SPDX-License-Identifier: Apache-2.0 */
#include "text_codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t bound(const struct lam_codec *codec, const void *value)
{
    const struct text *text = value;

    (void)codec;
    return text->data == NULL ? SIZE_MAX : TEXT_HEAD_BYTES + text->size + TEXT_BOUND_SLACK;
}

static int encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size)
{
    const struct text *text = value;
    unsigned char *to = buffer;

    (void)codec;
    if (text->size + TEXT_HEAD_BYTES > capacity)
        return -ENOSPC;
    memset(buffer, 0xee, capacity);
    if (text->size == sizeof(TEXT_TREACHEROUS) - 1 &&
        memcmp(text->data, TEXT_TREACHEROUS, text->size) == 0)
        return -EINVAL;
    memcpy(to, &text->size, TEXT_HEAD_BYTES);
    for (uint32_t i = 0; i < text->size; i++)
        to[TEXT_HEAD_BYTES + i] = (unsigned char)((unsigned char)text->data[i] ^ (i & 0x7f));
    *size = TEXT_HEAD_BYTES + text->size;
    return 0;
}

static int verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error)
{
    uint32_t said;

    (void)codec;
    if (size < TEXT_HEAD_BYTES)
        return lam_error_set(error, -EBADMSG, "%zu bytes hold no length", size);
    memcpy(&said, bytes, sizeof(said));
    if (said != size - TEXT_HEAD_BYTES)
        return lam_error_set(
            error, -EBADMSG, "says %" PRIu32 " characters, has %zu", said, size - TEXT_HEAD_BYTES);
    for (uint32_t i = 0; i < said; i++)
        if ((((const unsigned char *)bytes)[TEXT_HEAD_BYTES + i] ^ (i & 0x7f)) >= 0x80)
            return lam_error_set(error, -EBADMSG, "byte %" PRIu32 " is no character", i);
    return 0;
}

static int decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena)
{
    const unsigned char *from = (const unsigned char *)bytes + TEXT_HEAD_BYTES;
    struct text *text = value;
    char *to;

    if (verify(codec, bytes, size, NULL) != 0)
        return -EBADMSG;
    to = lam_arena_take(arena, size - TEXT_HEAD_BYTES, 1);
    if (to == NULL)
        return -ENOSPC;
    text->data = to;
    text->size = (uint32_t)(size - TEXT_HEAD_BYTES);
    for (uint32_t i = 0; i < text->size; i++)
        to[i] = (char)(from[i] ^ (i & 0x7f));
    return 0;
}

static int64_t describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity)
{
    if (verify(codec, bytes, size, NULL) != 0)
        return -EBADMSG;
    return snprintf(text, capacity, "\"%zu characters\"", size - TEXT_HEAD_BYTES);
}

#define FUNCTIONS                                                                                  \
    .value_bytes = sizeof(struct text), .value_align = sizeof(void *), .bound = bound,             \
    .encode = encode, .decode = decode, .verify = verify, .describe = describe

#define SCHEMA_TEXT  "table test.Text\nfield size u32\nfield data u8 vector"
#define SCHEMA_VERSE "table test.Text\nfield size u32\nfield verse u8 vector"

const struct lam_codec text_codec = {.name = "text",
    .type_name = "test.Text",
    .type_hash = UINT64_C(0x7e57),
    .schema = SCHEMA_TEXT,
    .schema_bytes = sizeof(SCHEMA_TEXT) - 1,
    .payload_align = 4,
    FUNCTIONS};

const struct lam_codec verse_codec = {.name = "text",
    .type_name = "test.Verse",
    .type_hash = UINT64_C(0x5e12),
    .schema = SCHEMA_VERSE,
    .schema_bytes = sizeof(SCHEMA_VERSE) - 1,
    .payload_align = 4,
    FUNCTIONS};

const struct lam_codec wide_codec = {.name = "text",
    .type_name = "test.Wide",
    .type_hash = UINT64_C(0x1de),
    .schema = SCHEMA_TEXT,
    .schema_bytes = sizeof(SCHEMA_TEXT) - 1,
    .payload_align = 64,
    FUNCTIONS};
