/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a table can do as a whole: its two codecs, and functions of its own types around them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit_c.h"
#include "lamina/codecs/schema.h"

/* The text, a line of C for each of its own; its characters need no escapes. */
static void put_text(struct emit *e, const char *codec, uint64_t hash, const char *text)
{
    emit_put(e, "    __extension__ \"lamina 1 %s %016" PRIx64 "\\n\"\n", codec, hash);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        emit_put(e, "    \"%.*s\\n\"%s\n", (int)length, text, text[length + 1] == '\0' ? "," : "");
        text += length + 1;
    }
}

uint64_t emit_codec_hash(const struct schema_record *record, const char *codec)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "%s %016" PRIx64, codec, record->hash);

    return lam_schema_hash(text, (size_t)length);
}

static void put_codec(struct emit *e, const struct schema_record *record, const char *name,
    const char *codec, const char *text)
{
    bool is_flat = strcmp(codec, "flatbuffers") == 0;
    uint64_t hash = emit_codec_hash(record, codec);
    size_t bytes = strlen("lamina 1  \n") + strlen(codec) + 16 + strlen(text);

    emit_declare(e, &record->declaration.place, "%s_%s", name, codec);
    emit_put(e,
        "static const struct lam_codec %s_%s = {\n    \"%s\", \"%s\", UINT64_C(0x%016" PRIx64
        "),\n",
        name, codec, codec, record->declaration.full_name, hash);
    put_text(e, codec, hash, text);
    emit_put(e,
        "    %zu, sizeof(struct %s), LAM_ALIGNOF(struct %s), 0, %" PRIu32
        ", &%s_type,\n    %s};\n\n",
        bytes, name, name, is_flat ? record->align_max : 1, name,
        is_flat ? "LAM_FB_CODEC_FUNCTIONS" : "LAM_MP_CODEC_FUNCTIONS");
}

static void put_flatbuffers(struct emit *e, const struct schema_place *place, const char *name)
{
    emit_declare(e, place, "%s_init", name);
    emit_declare(e, place, "%s_verify", name);
    emit_declare(e, place, "%s_copy", name);
    emit_put(e,
        "/* The value of an empty table: scalars have their defaults, all else is absent. */\n"
        "static inline void %s_init(struct %s *value)\n{\n"
        "    lam_type_init(&%s_type.types[%s_type.root], value);\n}\n\n",
        name, name, name, name);
    emit_put(e,
        "/* 0 when the readers above are safe on the @size bytes, or -EBADMSG and why. */\n"
        "static inline int %s_verify(const void *bytes, size_t size, struct lam_error *error)\n{\n"
        "    return lam_fb_verify(&%s_type, bytes, size, error);\n}\n\n",
        name, name);
    emit_put(e,
        "/* Copy a verified view, with all it refers to in @arena: 0 or -ENOSPC. */\n"
        "static inline int %s_copy(\n    struct %s_view view, struct %s *value, "
        "struct lam_arena *arena)\n{\n"
        "    return lam_fb_copy_table(%s_type.types, %s_type.root, view.at, value, arena);\n}\n\n",
        name, name, name, name, name);
}

/* bound, pack and unpack of one codec; FlatBuffers have the plain names. */
static void put_functions(struct emit *e, const struct schema_place *place, const char *name,
    const char *middle, const char *codec)
{
    emit_declare(e, place, "%s_%sbound", name, middle);
    emit_declare(e, place, "%s_%spack", name, middle);
    emit_declare(e, place, "%s_%sunpack", name, middle);
    emit_put(e,
        "/* Bytes that %s_%spack() needs, or SIZE_MAX when it can not. */\n"
        "static inline size_t %s_%sbound(const struct %s *value)\n{\n"
        "    return %s_%s.bound(&%s_%s, value);\n}\n\n",
        name, middle, name, middle, name, name, codec, name, codec);
    emit_put(e,
        "/* Write @value into @buffer: 0 and *@size, -ENOSPC or -EINVAL. */\n"
        "static inline int %s_%spack(\n    const struct %s *value, void *buffer, size_t capacity, "
        "size_t *size)\n{\n    return %s_%s.encode(&%s_%s, value, buffer, capacity, size);\n}\n\n",
        name, middle, name, name, codec, name, codec);
    emit_put(e,
        "/* Verify and read @bytes into @value and @arena: 0, -EBADMSG or -ENOSPC. */\n"
        "static inline int %s_%sunpack(\n    const void *bytes, size_t size, struct %s *value, "
        "struct lam_arena *arena)\n{\n"
        "    return %s_%s.decode(&%s_%s, bytes, size, value, arena);\n}\n\n",
        name, middle, name, name, codec, name, codec);
}

void emit_codecs(struct emit *e, const struct schema_record *record)
{
    const struct schema_place *place = &record->declaration.place;
    char name[EMIT_NAME_BYTES];
    char identifier[EMIT_IDENTIFIER_BYTES];
    char *text = emit_text(e, record);
    uint32_t index = 0;

    if (text == NULL) {
        e->failed = true;
        return;
    }
    while (e->types[index] != &record->declaration)
        index++;
    emit_c_name(e, &record->declaration, name);
    emit_identifier(e, record, identifier);
    emit_put(e, "/* ---- %s: as a whole ---- */\n\n", record->declaration.full_name);
    emit_declare(e, place, "%s_type", name);
    emit_declare(e, place, "%s_ALIGN", name);
    emit_put(e, "/* Alignment of the first byte of a message. */\n#define %s_ALIGN %" PRIu32 "\n\n",
        name, record->align_max);
    emit_declare(e, place, "%s_TYPE_HASH", name);
    emit_put(e,
        "/* The hash of the type; those of the codecs are made of it. */\n"
        "#define %s_TYPE_HASH UINT64_C(0x%016" PRIx64 ")\n\n",
        name, record->hash);
    emit_put(e,
        "static const struct lam_root %s_type = {\n    %s_types, %" PRIu32 ", %" PRIu32 ", %" PRIu32
        ", %s};\n\n",
        name, e->base, e->type_count, index, record->align_max, identifier);
    put_codec(e, record, name, "flatbuffers", text);
    put_codec(e, record, name, "msgpack", text);
    put_flatbuffers(e, place, name);
    put_functions(e, place, name, "", "flatbuffers");
    put_functions(e, place, name, "msgpack_", "msgpack");
    free(text);
}
