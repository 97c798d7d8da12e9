/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/codecs/pod.h"
#include "lamina/codecs/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pod.h"
#include "print.h"

/* In required_count, for which structs have no use: there is nothing to look at in a value. */
#define POD_NO_BOOLEANS 1

static const char *const kind_names[] = {
    "", "bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"};

static bool is_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strpbrk(name, " \n\t\r") == NULL;
}

/* Elements of the field, which is whole scalars; 0 when it is not. */
static uint32_t count_of(const struct lam_pod_field *field)
{
    uint32_t bytes = field->kind <= LAM_KIND_F64 ? lam_kind_bytes(field->kind) : 0;

    return bytes != 0 && field->bytes % bytes == 0 ? field->bytes / bytes : 0;
}

/* Every byte once, in order, whole scalars. */
static int check_fields(const struct lam_pod_type *type, struct lam_error *error)
{
    uint64_t next = 0;

    for (size_t i = 0; i < type->field_count; i++) {
        const struct lam_pod_field *field = &type->fields[i];

        if (!is_name(field->name))
            return lam_error_set(error, -EINVAL, "%s: field %zu has no name", type->name, i);
        if (count_of(field) == 0)
            return lam_error_set(
                error, -EINVAL, "%s.%s: not a scalar or an array of them", type->name, field->name);
        if (field->offset != next)
            return lam_error_set(error, -EINVAL,
                "%s.%s: lies at byte %" PRIu32 ", but the fields before it end at byte %" PRIu64
                "; list fields in order, and name padding as an array of uint8_t",
                type->name, field->name, field->offset, next);
        next += field->bytes;
    }
    if (next != type->bytes)
        return lam_error_set(error, -EINVAL,
            "%s: %zu bytes, but the fields end at byte %" PRIu64
            "; name the padding at its end as an array of uint8_t",
            type->name, type->bytes, next);
    return 0;
}

/* The first line; the digits of the hash over all of the text, with these, take their place. */
#define LINE   "lamina 1 pod 0000000000000000"
#define DIGITS 16

static int append(struct lam_pod *pod, const char *format, ...)
{
    size_t left = sizeof(pod->schema) - pod->codec.schema_bytes;
    va_list arguments;
    int more;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started in the line before */
    more = vsnprintf(pod->schema + pod->codec.schema_bytes, left, format, arguments);
    va_end(arguments);
    if (more < 0 || (size_t)more >= left)
        return -EINVAL;
    pod->codec.schema_bytes += (size_t)more;
    return 0;
}

static int write_schema(struct lam_pod *pod, const struct lam_pod_type *type)
{
    int rc = append(pod, LINE "\nroot %s %zu -\nstruct %s %zu %zu %zu\n", type->name, type->align,
        type->name, type->field_count, type->bytes, type->align);

    for (size_t i = 0; rc == 0 && i < type->field_count; i++) {
        const struct lam_pod_field *field = &type->fields[i];
        uint32_t count = count_of(field);

        rc = append(pod, "%s %" PRIu32 " %s", field->name, field->offset, kind_names[field->kind]);
        if (rc == 0 && count != 1)
            rc = append(pod, ":%" PRIu32, count);
        if (rc == 0)
            rc = append(pod, "\n");
    }
    return rc;
}

static size_t pod_bound(const struct lam_codec *codec, const void *value)
{
    (void)value;
    return codec->value_bytes;
}

static int pod_encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size)
{
    if (capacity < codec->value_bytes)
        return -ENOSPC;
    LAM_ASSERT(((uintptr_t)buffer & (codec->payload_align - 1)) == 0);
    lam_codec_copy(buffer, value, codec->value_bytes);
    *size = codec->value_bytes;
    return 0;
}

/* Booleans are the one kind of which C knows only two of the bytes. */
static bool booleans_are_good(const struct lam_type *type, const unsigned char *bytes)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct lam_field *field = &type->fields[i];

        for (uint32_t j = 0;
             field->kind == LAM_KIND_BOOL && j < (field->length != 0 ? field->length : 1); j++) {
            if (bytes[field->place + j] > 1)
                return false;
        }
    }
    return true;
}

int lam_pod_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error)
{
    const struct lam_root *root = codec->type;

    if (size != codec->value_bytes)
        return lam_error_set(error, -EBADMSG, "%s: %zu bytes, expected %zu", codec->type_name, size,
            codec->value_bytes);
    if (root->types[0].required_count != POD_NO_BOOLEANS &&
        !booleans_are_good(&root->types[0], bytes))
        return lam_error_set(error, -EBADMSG, "%s: a boolean is neither 0 nor 1", codec->type_name);
    return 0;
}

int64_t lam_pod_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity)
{
    const struct lam_root *root = codec->type;
    struct lam_print print;

    if (size != codec->value_bytes)
        return -EBADMSG;
    lam_print_init(&print, text, capacity);
    lam_print_struct(&print, root->types, 0, bytes);
    return lam_print_fini(&print);
}

static int pod_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena)
{
    int rc = lam_pod_verify(codec, bytes, size, NULL);

    (void)arena;
    if (rc == 0)
        lam_codec_copy(value, bytes, size);
    return rc;
}

static void keep_fields(struct lam_pod *pod, const struct lam_pod_type *type)
{
    bool has_booleans = false;

    for (size_t i = 0; i < type->field_count; i++) {
        const struct lam_pod_field *from = &type->fields[i];
        uint32_t count = count_of(from);

        pod->fields[i] = (struct lam_field){.name = from->name,
            .kind = from->kind,
            .type = LAM_TYPE_NONE,
            .place = from->offset,
            .length = count != 1 ? count : 0};
        has_booleans |= from->kind == LAM_KIND_BOOL;
    }
    pod->type = (struct lam_type){.name = type->name,
        .form = LAM_FORM_STRUCT,
        .align = (uint16_t)type->align,
        .inline_bytes = (uint32_t)type->bytes,
        .field_count = (uint16_t)type->field_count,
        .required_count = has_booleans ? 0 : POD_NO_BOOLEANS,
        .fields = pod->fields};
    pod->root =
        (struct lam_root){.types = &pod->type, .type_count = 1, .align = (uint16_t)type->align};
}

/* The hash of the text, which gets its digits. */
static uint64_t seal_schema(struct lam_pod *pod)
{
    uint64_t hash = lam_schema_hash(pod->schema, pod->codec.schema_bytes);
    char digits[DIGITS + 1];

    (void)snprintf(digits, sizeof(digits), "%016" PRIx64, hash);
    memcpy(pod->schema + sizeof(LINE) - 1 - DIGITS, digits, DIGITS);
    return hash;
}

int lam_pod_init(struct lam_pod *pod, const struct lam_pod_type *type, struct lam_error *error)
{
    int rc;

    if (!is_name(type->name) || type->field_count == 0 ||
        type->field_count > LAM_POD_FIELD_COUNT_MAX || type->bytes > INT32_MAX ||
        type->align == 0 || type->align > 4096)
        return lam_error_set(error, -EINVAL,
            "a pod type has a name without blanks, 1 to %u fields and less than 2 GiB",
            LAM_POD_FIELD_COUNT_MAX);
    rc = check_fields(type, error);
    if (rc != 0)
        return rc;
    memset(pod, 0, sizeof(*pod));
    keep_fields(pod, type);
    if (write_schema(pod, type) != 0)
        return lam_error_set(error, -EINVAL, "%s: the names are longer than %u bytes in all",
            type->name, LAM_POD_SCHEMA_BYTES);
    pod->codec = (struct lam_codec){.name = "pod",
        .type_name = type->name,
        .type_hash = seal_schema(pod),
        .schema = pod->schema,
        .schema_bytes = pod->codec.schema_bytes,
        .value_bytes = type->bytes,
        .value_align = type->align,
        .plain_bytes = pod->type.required_count == POD_NO_BOOLEANS ? type->bytes : 0,
        .payload_align = type->align,
        .type = &pod->root,
        .bound = pod_bound,
        .encode = pod_encode,
        .decode = pod_decode,
        .verify = lam_pod_verify,
        .describe = lam_pod_describe};
    return 0;
}
