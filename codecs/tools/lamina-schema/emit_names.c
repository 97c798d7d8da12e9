/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and constants of C.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emit_c.h"

void emit_put(struct emit *e, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started in the line before */
    if (vfprintf(e->out, format, arguments) < 0)
        e->failed = true;
    va_end(arguments);
}

void emit_declare(struct emit *e, const struct schema_place *place, const char *format, ...)
{
    va_list arguments;
    char *name = NULL;

    if (e->symbol_count == e->symbol_capacity) {
        size_t capacity = e->symbol_capacity != 0 ? 2 * e->symbol_capacity : 256;
        struct emit_symbol *symbols = realloc(e->symbols, capacity * sizeof(*symbols));

        if (symbols == NULL) {
            e->failed = true;
            return;
        }
        e->symbols = symbols;
        e->symbol_capacity = capacity;
    }
    va_start(arguments, format);
    if (vasprintf(&name, format, arguments) < 0)
        e->failed = true;
    else
        e->symbols[e->symbol_count++] = (struct emit_symbol){name, place};
    va_end(arguments);
}

static int compare_symbols(const void *left, const void *right)
{
    const struct emit_symbol *a = left;
    const struct emit_symbol *b = right;
    int order = strcmp(a->name, b->name);

    if (order != 0)
        return order;
    if (a->place->line != b->place->line)
        return a->place->line < b->place->line ? -1 : 1;
    return a->place->column < b->place->column ? -1 : a->place->column > b->place->column;
}

int emit_check_symbols(struct emit *e)
{
    int rc = 0;

    if (e->symbol_count > 1)
        qsort(e->symbols, e->symbol_count, sizeof(e->symbols[0]), compare_symbols);
    for (size_t i = 1; i < e->symbol_count; i++) {
        if (strcmp(e->symbols[i - 1].name, e->symbols[i].name) != 0)
            continue;
        rc = schema_error_at(e->diagnostics, e->symbols[i].place,
            "in C this would be \"%s\", which is taken; rename one of the two", e->symbols[i].name);
        schema_note_at(e->diagnostics, e->symbols[i - 1].place, "the other one is here");
    }
    return rc;
}

static const char *const reserved[] = {"alignas", "alignof", "and", "and_eq", "asm", "auto",
    "bitand", "bitor", "bool", "break", "case", "catch", "char", "char16_t", "char32_t", "char8_t",
    "class", "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast",
    "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do",
    "double", "dynamic_cast", "else", "enum", "errno", "explicit", "export", "extern", "false",
    "float", "for", "friend", "goto", "if", "inline", "int", "linux", "long", "mutable",
    "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq",
    "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict",
    "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "stderr",
    "stdin", "stdout", "struct", "switch", "template", "this", "thread_local", "throw", "true",
    "try", "typedef", "typeid", "typename", "union", "unix", "unsigned", "using", "virtual", "void",
    "volatile", "wchar_t", "while", "xor", "xor_eq", "EOF", "NULL", "INFINITY", "NAN"};

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(name, reserved[i]) == 0)
            return true;
    }
    return false;
}

const char *emit_member(const char *name, char *buffer, size_t capacity)
{
    (void)snprintf(buffer, capacity, "%s%s", name, is_reserved(name) ? "_" : "");
    return buffer;
}

void emit_c_name(const struct emit *e, const struct schema_declaration *declaration, char *name)
{
    const char *full = declaration->full_name;
    bool clashes = e->options->prefix[0] == '\0' && is_reserved(full);

    (void)snprintf(name, EMIT_NAME_BYTES, "%s%s%s", e->options->prefix, full, clashes ? "_" : "");
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '.')
            *at = '_';
    }
}

const char *emit_suffix(enum schema_kind kind)
{
    static const char *const suffixes[] = {[SCHEMA_BOOL] = "u8",
        [SCHEMA_I8] = "i8",
        [SCHEMA_U8] = "u8",
        [SCHEMA_I16] = "i16",
        [SCHEMA_U16] = "u16",
        [SCHEMA_I32] = "i32",
        [SCHEMA_U32] = "u32",
        [SCHEMA_I64] = "i64",
        [SCHEMA_U64] = "u64",
        [SCHEMA_F32] = "f32",
        [SCHEMA_F64] = "f64"};

    return suffixes[kind];
}

void emit_scalar_type(
    const struct emit *e, enum schema_kind kind, const struct schema_enum *enumeration, char *name)
{
    static const char *const types[] = {[SCHEMA_BOOL] = "bool",
        [SCHEMA_I8] = "int8_t",
        [SCHEMA_U8] = "uint8_t",
        [SCHEMA_I16] = "int16_t",
        [SCHEMA_U16] = "uint16_t",
        [SCHEMA_I32] = "int32_t",
        [SCHEMA_U32] = "uint32_t",
        [SCHEMA_I64] = "int64_t",
        [SCHEMA_U64] = "uint64_t",
        [SCHEMA_F32] = "float",
        [SCHEMA_F64] = "double"};

    if (enumeration != NULL)
        emit_c_name(e, &enumeration->declaration, name);
    else
        (void)snprintf(name, EMIT_NAME_BYTES, "%s", types[kind]);
}

void emit_integer(enum schema_kind kind, uint64_t bits, char *text)
{
    unsigned width = 8 * schema_kind_size(kind);
    int64_t value = (int64_t)bits;

    if (!schema_kind_is_signed(kind))
        (void)snprintf(text, 48, "UINT%u_C(%" PRIu64 ")", width, bits);
    else if (value == INT64_MIN || (width == 32 && value == INT32_MIN))
        (void)snprintf(text, 48, "(-INT%u_C(%" PRId64 ") - 1)", width, -(value + 1));
    else
        (void)snprintf(text, 48, "INT%u_C(%" PRId64 ")", width, value);
}

void emit_identifier(const struct emit *e, const struct schema_record *record, char *text)
{
    const char *identifier = e->schema->file_identifier;
    size_t used = 0;

    (void)snprintf(text, EMIT_IDENTIFIER_BYTES, "NULL");
    if (record != e->schema->root || identifier[0] == '\0')
        return;
    used += (size_t)snprintf(text, EMIT_IDENTIFIER_BYTES, "\"");
    for (size_t i = 0; i < 4; i++) {
        unsigned char byte = (unsigned char)identifier[i];
        bool is_plain = byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\' && byte != '?';

        used += (size_t)snprintf(
            text + used, EMIT_IDENTIFIER_BYTES - used, is_plain ? "%c" : "\\%03o", byte);
    }
    (void)snprintf(text + used, EMIT_IDENTIFIER_BYTES - used, "\"");
}

/* The shortest constant that comes back the same. @text has 48 bytes. */
static void put_double(char *text, double value, bool is_float)
{
    char digits[32] = "";

    for (int count = 1; count <= 17; count++) {
        (void)snprintf(digits, sizeof(digits), "%.*g", count, value);
        if (is_float ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
            break;
    }
    (void)snprintf(
        text, 48, "%s%s%s", digits, strpbrk(digits, ".e") == NULL ? ".0" : "", is_float ? "f" : "");
}

void emit_default(const struct schema_field *field, char *text)
{
    bool is_float = field->type.kind == SCHEMA_F32;
    double value;

    if (field->type.kind == SCHEMA_BOOL) {
        (void)snprintf(text, 48, "%s", field->default_bits != 0 ? "true" : "false");
        return;
    }
    if (!schema_kind_is_float(field->type.kind)) {
        emit_integer(field->type.kind, field->default_bits, text);
        return;
    }
    value = schema_default_double(field);
    if (isnan(value))
        (void)snprintf(text, 48, "__builtin_nan%s(\"\")", is_float ? "f" : "");
    else if (isinf(value))
        (void)snprintf(text, 48, "%s__builtin_inf%s()", value < 0 ? "-" : "", is_float ? "f" : "");
    else
        put_double(text, value, is_float);
}

uint64_t emit_preset(const struct schema_field *field)
{
    uint64_t bits = field->default_bits;
    float single;
    uint32_t low;

    if (field->optional || !schema_kind_is_scalar(field->type.kind))
        return 0;
    if (field->type.kind != SCHEMA_F32)
        return bits;
    single = (float)schema_default_double(field);
    memcpy(&low, &single, sizeof(low));
    return low;
}

/* A line of documentation, which must not end or open a comment. */
static void put_doc_line(struct emit *e, const char *line)
{
    for (const char *at = line; *at != '\0'; at++) {
        bool splits = (at[0] == '*' && at[1] == '/') || (at[0] == '/' && at[1] == '*');

        emit_put(e, splits ? "%c " : "%c", *at == '\r' ? ' ' : *at);
    }
}

void emit_docs(struct emit *e, const struct schema_docs *docs, const char *indent)
{
    if (docs->count == 0)
        return;
    emit_put(e, docs->count == 1 ? "%s/* " : "%s/*\n", indent);
    for (size_t i = 0; i < docs->count; i++) {
        if (docs->count != 1)
            emit_put(e, docs->lines[i][0] != '\0' ? "%s * " : "%s *", indent);
        put_doc_line(e, docs->lines[i]);
        emit_put(e, docs->count == 1 ? " */\n" : "\n");
    }
    if (docs->count != 1)
        emit_put(e, "%s */\n", indent);
}

uint32_t emit_element_bytes(const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);

    return kind == SCHEMA_STRUCT ? field->type.record->size : schema_kind_size(kind);
}

uint32_t emit_element_align(const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);
    uint32_t align = kind == SCHEMA_STRUCT ? field->type.record->align : schema_kind_size(kind);

    return field->force_align > align ? field->force_align : align;
}
