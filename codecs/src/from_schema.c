/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text is walked twice: first the types are counted and named, so that fields can refer to
 * later ones, then their members are read (schema_members.c).
 */
#include "lamina/codecs/from_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lamina/codecs/flatbuffers/codec.h"
#include "lamina/codecs/msgpack/codec.h"

#include "pod.h"
#include "schema_parse.h"

#define TYPES_MAX        4096
#define MEMBERS_MAX      16384
#define STRUCT_DEPTH_MAX 64

int lam_parse_refuse(const struct lam_parse *parse, const char *reason)
{
    return lam_error_set(
        parse->error, -EBADMSG, "schema: line %" PRIu32 ": %s", parse->words.line, reason);
}

static unsigned form_of(const char *word)
{
    static const char *const names[] = {"", "table", "struct", "enum", "flags", "union"};

    for (unsigned form = LAM_FORM_UNION; form > 0; form--) {
        if (strcmp(word, names[form]) == 0)
            return form;
    }
    return 0;
}

/* The head of a type: "table NAME n", "struct NAME n SIZE ALIGN", "enum NAME n KIND". */
static int parse_head(struct lam_parse *parse, struct lam_type *type)
{
    static const uint32_t words_of[] = {0, 3, 5, 4, 4, 3};
    char **words = parse->words.words;
    uint64_t count;
    uint64_t size = 4;
    uint64_t align = 4;

    memset(type, 0, sizeof(*type));
    type->form = (uint8_t)form_of(words[0]);
    if (type->form == 0 || parse->words.count != words_of[type->form] ||
        !lam_words_number(words[2], MEMBERS_MAX, &count))
        return lam_parse_refuse(parse, "not the head of a type");
    if (type->form == LAM_FORM_STRUCT &&
        (!lam_words_number(words[3], LAM_SCHEMA_STRUCT_BYTES_MAX, &size) || size == 0 ||
            count == 0 || !lam_words_number(words[4], 4096, &align) || align == 0 ||
            (align & (align - 1)) != 0 || size % align != 0))
        return lam_parse_refuse(parse, "a struct has an impossible size or alignment");
    if (type->form == LAM_FORM_ENUM || type->form == LAM_FORM_FLAGS) {
        type->kind = (uint8_t)lam_words_kind(words[3]);
        if (type->kind < LAM_KIND_I8 || type->kind > LAM_KIND_U64)
            return lam_parse_refuse(parse, "an enum is of no integer");
    }
    type->name = words[1];
    type->field_count = (uint16_t)count;
    type->inline_bytes = (uint32_t)size;
    type->align = (uint16_t)align;
    return 0;
}

/* First walk: heads of types, over their members. */
static int parse_heads(struct lam_parse *parse)
{
    struct lam_type type;
    int rc = 0;

    while (rc == 0 && lam_words_next(&parse->words)) {
        rc = parse_head(parse, &type);
        if (rc == 0 && parse->type_count == TYPES_MAX)
            rc = lam_parse_refuse(parse, "too many types");
        if (rc != 0)
            break;
        parse->types[parse->type_count++] = type;
        for (uint16_t i = 0; i < type.field_count; i++) {
            if (!lam_words_next(&parse->words))
                return lam_parse_refuse(parse, "a type has fewer members than it says");
        }
    }
    if (rc == 0 && (parse->type_count == 0 || *parse->words.at != '\0'))
        rc = lam_parse_refuse(parse, "not a line of words");
    return rc;
}

/*
 * Refuse structs that contain themselves. Depths grow from the leaves, a level a pass, so that the
 * work is bounded whatever the text says; required_count holds them, of no other use to structs.
 */
static int check_struct_depths(struct lam_parse *parse)
{
    bool changed = true;

    for (unsigned pass = 0; changed; pass++) {
        if (pass > STRUCT_DEPTH_MAX)
            return lam_parse_refuse(
                parse, "structs are nested too deep, or a struct contains itself");
        changed = false;
        for (uint16_t i = 0; i < parse->type_count; i++) {
            struct lam_type *type = &parse->types[i];
            uint16_t depth = 1;

            if (type->form != LAM_FORM_STRUCT)
                continue;
            for (uint16_t j = 0; j < type->field_count; j++) {
                const struct lam_field *field = &type->fields[j];
                uint16_t inner =
                    field->kind == LAM_KIND_STRUCT ? parse->types[field->type].required_count : 0;

                if (inner >= depth)
                    depth = (uint16_t)(inner + 1);
            }
            changed |= depth != type->required_count;
            type->required_count = depth;
        }
    }
    for (uint16_t i = 0; i < parse->type_count; i++) {
        if (parse->types[i].form == LAM_FORM_STRUCT)
            parse->types[i].required_count = 0;
    }
    return 0;
}

/* @count hexadecimal digits, at most 16, and nothing behind them. */
static bool parse_hex(const char *word, unsigned count, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";

    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *digit = word[i] != '\0' ? strchr(digits, word[i]) : NULL;

        if (digit == NULL)
            return false;
        *value = *value << 4 | (uint64_t)(digit - digits);
    }
    return word[count] == '\0';
}

/* "46424d4c" is four characters. */
static int parse_identifier(struct lam_parse *parse, const char *word, struct lam_root *root)
{
    char *identifier = lam_arena_take(parse->arena, 5, 1);
    uint64_t value;

    if (identifier == NULL)
        return -ENOSPC;
    if (!parse_hex(word, 8, &value))
        return lam_parse_refuse(parse, "an identifier is eight digits of hexadecimal");
    for (unsigned i = 0; i < 4; i++)
        identifier[i] = (char)(value >> (24 - 8 * i));
    identifier[4] = '\0';
    root->identifier = identifier;
    return 0;
}

/* "lamina 1 CODEC HASH" and "root NAME ALIGN IDENTIFIER". */
static int parse_first_lines(struct lam_parse *parse, struct lam_root *root)
{
    char **words = parse->words.words;
    uint64_t align;

    if (!lam_words_next(&parse->words) || parse->words.count != 4 ||
        strcmp(words[0], "lamina") != 0 || strcmp(words[1], "1") != 0 ||
        !parse_hex(words[3], 16, &parse->type_hash) || parse->type_hash == 0)
        return lam_parse_refuse(parse, "not a schema of version 1");
    parse->codec_name = words[2];
    if (!lam_words_next(&parse->words) || parse->words.count != 4 ||
        strcmp(words[0], "root") != 0 || !lam_words_number(words[2], 4096, &align) || align == 0 ||
        (align & (align - 1)) != 0)
        return lam_parse_refuse(parse, "no root, or an impossible alignment");
    memset(root, 0, sizeof(*root));
    root->align = (uint16_t)align;
    if (strcmp(words[3], "-") == 0)
        return 0;
    return parse_identifier(parse, words[3], root);
}

/* The two walks over the types; both start at the same line of two copies of the text. */
static int parse_types(struct lam_parse *parse, char *again, struct lam_root *root)
{
    struct lam_words second = {.at = again};
    int rc;

    parse->types = lam_arena_take(parse->arena, TYPES_MAX * sizeof(*parse->types), 8);
    if (parse->types == NULL)
        return -ENOSPC;
    rc = parse_heads(parse);
    if (rc != 0)
        return rc;
    parse->words = second;
    (void)lam_words_next(&parse->words);
    (void)lam_words_next(&parse->words);
    for (uint16_t i = 0; rc == 0 && i < parse->type_count; i++) {
        (void)lam_words_next(&parse->words);
        rc = lam_parse_members(parse, &parse->types[i]);
    }
    if (rc == 0)
        rc = check_struct_depths(parse);
    root->types = parse->types;
    root->type_count = parse->type_count;
    return rc;
}

static int choose_codec(
    const struct lam_parse *parse, const struct lam_root *root, struct lam_codec *codec)
{
    unsigned form = root->types[0].form;

    if (strcmp(parse->codec_name, "pod") == 0 && form == LAM_FORM_STRUCT) {
        codec->name = "pod";
        codec->value_bytes = root->types[0].inline_bytes;
        codec->verify = lam_pod_verify;
        codec->describe = lam_pod_describe;
    } else if (strcmp(parse->codec_name, "flatbuffers") == 0 && form == LAM_FORM_TABLE) {
        codec->name = "flatbuffers";
        codec->verify = lam_fb_codec_verify;
        codec->describe = lam_fb_codec_describe;
    } else if (strcmp(parse->codec_name, "msgpack") == 0 && form == LAM_FORM_TABLE) {
        codec->name = "msgpack";
        codec->verify = lam_mp_codec_verify;
        codec->describe = lam_mp_codec_describe;
    } else {
        return lam_error_set(
            parse->error, -EBADMSG, "schema: no codec \"%.32s\" for this root", parse->codec_name);
    }
    codec->type_name = root->types[0].name;
    codec->payload_align = strcmp(codec->name, "msgpack") == 0 ? 1 : root->align;
    codec->value_align = root->align;
    codec->type = root;
    return 0;
}

static int parse_all(
    struct lam_parse *parse, const char *text, size_t bytes, struct lam_codec *codec)
{
    struct lam_root *root = lam_arena_take(parse->arena, sizeof(*root), 8);
    char *copies[3]; /* to keep, and one for each walk */
    int rc;

    for (unsigned i = 0; i < 3; i++) {
        copies[i] = lam_arena_take(parse->arena, bytes + 1, 1);
        if (copies[i] == NULL || root == NULL)
            return -ENOSPC;
        memcpy(copies[i], text, bytes);
        copies[i][bytes] = '\0';
    }
    if (strlen(copies[0]) != bytes)
        return lam_parse_refuse(parse, "a NUL in the text");
    parse->words.at = copies[1];
    rc = parse_first_lines(parse, root);
    if (rc == 0)
        rc = parse_types(parse, copies[2], root);
    if (rc == 0)
        rc = choose_codec(parse, root, codec);
    codec->schema = copies[0];
    codec->schema_bytes = bytes;
    codec->type_hash = parse->type_hash;
    return rc;
}

int lam_codec_from_schema(const char *text, size_t bytes, struct lam_arena *arena,
    struct lam_codec *codec, struct lam_error *error)
{
    struct lam_parse parse = {.arena = arena, .error = error};
    size_t mark = arena->used;
    int rc;

    memset(codec, 0, sizeof(*codec));
    rc = parse_all(&parse, text, bytes, codec);
    if (rc == -ENOSPC)
        (void)lam_error_set(error, rc,
            "schema: an arena of %zu bytes is too small for a text of %zu", arena->capacity, bytes);
    if (rc != 0)
        arena->used = mark;
    return rc;
}
