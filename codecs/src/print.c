/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void lam_print_init(struct lam_print *print, char *text, size_t capacity)
{
    print->text = text;
    print->capacity = capacity;
    print->length = 0;
}

int64_t lam_print_fini(struct lam_print *print)
{
    if (print->capacity != 0)
        print->text[print->length < print->capacity ? print->length : print->capacity - 1] = '\0';
    return (int64_t)print->length;
}

void lam_print_bytes(struct lam_print *print, const char *bytes, size_t size)
{
    if (print->length < print->capacity) {
        size_t room = print->capacity - print->length;

        memcpy(print->text + print->length, bytes, size < room ? size : room);
    }
    print->length += size;
}

void lam_print_text(struct lam_print *print, const char *text)
{
    lam_print_bytes(print, text, strlen(text));
}

/* Bytes of the UTF-8 sequence at @at, or 0 where there is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t code;

    if (size == 1)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4 || size > left)
        return 0;
    code = at[0] & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fU);
    }
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return size;
}

static void print_ascii(struct lam_print *print, unsigned char byte)
{
    char escape[8];

    if (byte == '"' || byte == '\\') {
        escape[0] = '\\';
        escape[1] = (char)byte;
        lam_print_bytes(print, escape, 2);
    } else if (byte < 0x20 || byte == 0x7f) {
        lam_print_bytes(print, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", byte));
    } else {
        lam_print_bytes(print, (const char *)&byte, 1);
    }
}

void lam_print_string(struct lam_print *print, const char *data, size_t size)
{
    lam_print_text(print, "\"");
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length((const unsigned char *)data + i, size - i);

        if (length == 1)
            print_ascii(print, (unsigned char)data[i]);
        else if (length > 1)
            lam_print_bytes(print, data + i, length);
        else
            lam_print_text(print, "\\ufffd");
        i += length != 0 ? length : 1;
    }
    lam_print_text(print, "\"");
}

void lam_print_hex(struct lam_print *print, const unsigned char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    lam_print_text(print, "\"");
    for (size_t i = 0; i < size; i++) {
        char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};

        lam_print_bytes(print, pair, 2);
    }
    lam_print_text(print, "\"");
}

void lam_print_i64(struct lam_print *print, int64_t value)
{
    char text[32];

    lam_print_bytes(print, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void lam_print_u64(struct lam_print *print, uint64_t value)
{
    char text[32];

    lam_print_bytes(print, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

void lam_print_float(struct lam_print *print, double value, bool is_double)
{
    char text[40];

    if (isnan(value))
        lam_print_text(print, "\"nan\"");
    else if (isinf(value))
        lam_print_text(print, value < 0 ? "\"-inf\"" : "\"inf\"");
    else
        lam_print_bytes(
            print, text, (size_t)snprintf(text, sizeof(text), "%.*g", is_double ? 17 : 9, value));
}

static bool kind_is_signed(unsigned kind)
{
    return kind == LAM_KIND_I8 || kind == LAM_KIND_I16 || kind == LAM_KIND_I32 ||
           kind == LAM_KIND_I64;
}

/* The integer of @kind at @at, sign- or zero-extended. */
static uint64_t load_integer(const void *at, unsigned kind)
{
    unsigned bits = 8 * lam_kind_bytes(kind);
    uint64_t value = 0;

    memcpy(&value, at, bits / 8);
    if (bits < 64 && kind_is_signed(kind) && (value >> (bits - 1)) != 0)
        value |= ~UINT64_C(0) << bits;
    return value;
}

/* Names of an enum's value or of all bits of a set of flags; false when some have no name. */
static bool print_name(struct lam_print *print, const struct lam_type *type, uint64_t value)
{
    uint64_t known = 0;
    const char *before = "\"";

    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->form == LAM_FORM_ENUM ? type->values[i].value == value
                                        : (type->values[i].value & ~value) == 0)
            known |= type->form == LAM_FORM_ENUM ? ~UINT64_C(0) : type->values[i].value;
    }
    if (type->form == LAM_FORM_ENUM ? known == 0 : (known != value || value == 0))
        return false;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->form == LAM_FORM_ENUM ? type->values[i].value != value
                                        : (type->values[i].value & ~value) != 0)
            continue;
        lam_print_text(print, before);
        lam_print_text(print, type->values[i].name);
        before = " ";
    }
    lam_print_text(print, "\"");
    return true;
}

void lam_print_scalar(
    struct lam_print *print, const void *at, unsigned kind, const struct lam_type *enumeration)
{
    float single;
    double value;

    if (kind == LAM_KIND_F32) {
        memcpy(&single, at, sizeof(single));
        lam_print_float(print, (double)single, false);
    } else if (kind == LAM_KIND_F64) {
        memcpy(&value, at, sizeof(value));
        lam_print_float(print, value, true);
    } else if (kind == LAM_KIND_BOOL) {
        lam_print_text(print, load_integer(at, kind) != 0 ? "true" : "false");
    } else if (enumeration != NULL && print_name(print, enumeration, load_integer(at, kind))) {
        return;
    } else if (kind_is_signed(kind)) {
        lam_print_i64(print, (int64_t)load_integer(at, kind));
    } else {
        lam_print_u64(print, load_integer(at, kind));
    }
}

static void print_member(struct lam_print *print, const struct lam_type *types,
    const struct lam_field *field, const unsigned char *at)
{
    if (field->kind == LAM_KIND_STRUCT)
        lam_print_struct(print, types, field->type, at);
    else
        lam_print_scalar(
            print, at, field->kind, field->type != LAM_TYPE_NONE ? &types[field->type] : NULL);
}

void lam_print_struct(
    struct lam_print *print, const struct lam_type *types, uint16_t type, const unsigned char *at)
{
    for (uint32_t i = 0; i < types[type].field_count; i++) {
        const struct lam_field *field = &types[type].fields[i];
        uint32_t stride = field->kind == LAM_KIND_STRUCT ? types[field->type].inline_bytes
                                                         : lam_kind_bytes(field->kind);

        lam_print_text(print, i == 0 ? "{" : ",");
        lam_print_string(print, field->name, strlen(field->name));
        lam_print_text(print, field->length != 0 ? ":[" : ":");
        for (uint32_t j = 0; j < (field->length != 0 ? field->length : 1); j++) {
            if (j != 0)
                lam_print_text(print, ",");
            print_member(print, types, field, at + field->place + (size_t)j * stride);
        }
        if (field->length != 0)
            lam_print_text(print, "]");
    }
    lam_print_text(print, types[type].field_count == 0 ? "{}" : "}");
}
