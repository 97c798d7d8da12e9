/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            fprintf(out, "\\x%02x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

static void put_docs(const struct schema_docs *docs, const char *indent, FILE *out)
{
    for (size_t i = 0; i < docs->count; i++) {
        fprintf(out, "%sdoc ", indent);
        put_quoted(docs->lines[i], out);
        fputc('\n', out);
    }
}

static void put_attributes(const struct schema_attributes *attributes, FILE *out)
{
    for (size_t i = 0; i < attributes->count; i++) {
        const struct schema_attribute *attribute = &attributes->items[i];

        fprintf(out, " (%s", attribute->name);
        if (attribute->form == SCHEMA_ATTRIBUTE_INTEGER)
            fprintf(out, ": %" PRId64, attribute->integer);
        if (attribute->form == SCHEMA_ATTRIBUTE_TEXT) {
            fputs(": ", out);
            put_quoted(attribute->text, out);
        }
        fputc(')', out);
    }
}

static const char *plain_name(const struct schema_type *type, enum schema_kind kind)
{
    if (type->record != NULL)
        return type->record->declaration.full_name;
    if (type->enumeration != NULL)
        return type->enumeration->declaration.full_name;
    return schema_kind_name(kind);
}

static void put_type(const struct schema_type *type, FILE *out)
{
    if (type->kind == SCHEMA_VECTOR)
        fprintf(out, "[%s]", plain_name(type, type->element));
    else if (type->kind == SCHEMA_ARRAY)
        fprintf(out, "[%s:%" PRIu32 "]", plain_name(type, type->element), type->array_count);
    else
        fputs(plain_name(type, type->kind), out);
}

static void put_double(double value, FILE *out)
{
    if (isnan(value))
        fputs("nan", out);
    else if (isinf(value))
        fputs(value < 0 ? "-inf" : "inf", out);
    else
        fprintf(out, "%.17g", value);
}

static void put_bits(enum schema_kind kind, uint64_t bits, FILE *out)
{
    if (schema_kind_is_signed(kind))
        fprintf(out, "%" PRId64, (int64_t)bits);
    else
        fprintf(out, "%" PRIu64, bits);
}

static void put_default(const struct schema_field *field, FILE *out)
{
    if (!field->has_default)
        return;
    fputs(" = ", out);
    if (field->optional)
        fputs("null", out);
    else if (schema_kind_is_float(field->type.kind))
        put_double(schema_default_double(field), out);
    else if (schema_kind_is_scalar(field->type.kind))
        put_bits(field->type.kind, field->default_bits, out);
    else if (field->default_string != NULL)
        put_quoted(field->default_string, out);
    else
        fputs("[]", out);
}

static void put_field(const struct schema_field *field, FILE *out)
{
    put_docs(&field->docs, "    ", out);
    if (field->parent->is_struct)
        fprintf(out, "    field %s offset %" PRIu32 " size %" PRIu32 " padding %" PRIu32 ": ",
            field->name, field->offset, field->size, field->padding_after);
    else
        fprintf(out, "    field %s id %u slot %u size %" PRIu32 ": ", field->name, field->id,
            field->vtable_offset, field->size);
    put_type(&field->type, out);
    put_default(field, out);
    if (field->nested_flatbuffer != NULL)
        fprintf(out, " nested %s", field->nested_flatbuffer->declaration.full_name);
    put_attributes(&field->attributes, out);
    fputc('\n', out);
}

static void put_record(const struct schema_record *record, FILE *out)
{
    if (record->is_struct)
        fprintf(out, " size %" PRIu32, record->size);
    fprintf(out, " align %" PRIu32 " align_max %" PRIu32 "%s hash %016" PRIx64, record->align,
        record->align_max, record->is_recursive ? " recursive" : "", record->hash);
    put_attributes(&record->declaration.attributes, out);
    fputc('\n', out);
    for (size_t i = 0; i < record->field_count; i++)
        put_field(record->fields[i], out);
}

static void put_enum(const struct schema_enum *enumeration, FILE *out)
{
    fprintf(out, ": %s%s", schema_kind_name(enumeration->underlying),
        enumeration->bit_flags ? " flags" : "");
    put_attributes(&enumeration->declaration.attributes, out);
    fputc('\n', out);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        const struct schema_enum_value *value = &enumeration->values[i];

        put_docs(&value->docs, "    ", out);
        fprintf(out, "    value %s ", value->name);
        put_bits(enumeration->underlying, value->bits, out);
        if (value->type.kind != SCHEMA_NONE) {
            fputs(": ", out);
            put_type(&value->type, out);
        }
        put_attributes(&value->attributes, out);
        fputc('\n', out);
    }
}

static void put_service(const struct schema_service *service, FILE *out)
{
    put_attributes(&service->declaration.attributes, out);
    fputc('\n', out);
    for (size_t i = 0; i < service->method_count; i++) {
        const struct schema_method *method = &service->methods[i];

        fprintf(out, "    method %s: %s to %s", method->name,
            method->request->declaration.full_name, method->response->declaration.full_name);
        put_attributes(&method->attributes, out);
        fputc('\n', out);
    }
}

static void put_declaration(const struct schema_declaration *declaration, FILE *out)
{
    static const char *const kinds[] = {"enum", "union", "struct", "table", "service"};

    put_docs(&declaration->docs, "", out);
    fprintf(out, "%s %s", kinds[declaration->kind], declaration->full_name);
    switch (declaration->kind) {
    case SCHEMA_DECLARES_ENUM:
    case SCHEMA_DECLARES_UNION:
        put_enum((const struct schema_enum *)declaration, out);
        break;
    case SCHEMA_DECLARES_STRUCT:
    case SCHEMA_DECLARES_TABLE:
        put_record((const struct schema_record *)declaration, out);
        break;
    default:
        put_service((const struct schema_service *)declaration, out);
    }
}

int dump_schema(const struct schema *schema, FILE *out)
{
    for (size_t i = 0; i < schema->file_count; i++) {
        fputs("file ", out);
        put_quoted(schema->files[i]->spelled, out);
        fputc('\n', out);
    }
    if (schema->file_identifier[0] != '\0') {
        fputs("identifier ", out);
        put_quoted(schema->file_identifier, out);
        fputc('\n', out);
    }
    if (schema->file_extension[0] != '\0') {
        fputs("extension ", out);
        put_quoted(schema->file_extension, out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < schema->declaration_count; i++)
        put_declaration(schema->declarations[i], out);
    fputs("order", out);
    for (size_t i = 0; i < schema->record_count; i++)
        fprintf(out, " %s", schema->order[i]->declaration.full_name);
    fputc('\n', out);
    if (schema->root != NULL)
        fprintf(out, "root %s\n", schema->root->declaration.full_name);
    fprintf(out, "hash %016" PRIx64 "\n", schema->hash);
    return ferror(out) ? -EIO : 0;
}

int dump_hashes(const struct schema *schema, FILE *out)
{
    for (size_t i = 0; i < schema->declaration_count; i++) {
        const struct schema_declaration *declaration = schema->declarations[i];

        if (declaration->file == schema->files[0] &&
            (declaration->kind == SCHEMA_DECLARES_STRUCT ||
                declaration->kind == SCHEMA_DECLARES_TABLE))
            fprintf(out, "%016" PRIx64 " %s\n", ((const struct schema_record *)declaration)->hash,
                declaration->full_name);
    }
    return ferror(out) ? -EIO : 0;
}

/* A path as makefiles want it. */
static void put_path(const char *path, FILE *out)
{
    for (; *path != '\0'; path++) {
        if (strchr(" #\\", *path) != NULL)
            fputc('\\', out);
        else if (*path == '$')
            fputc('$', out);
        fputc(*path, out);
    }
}

int dump_dependencies(const struct schema *schema, const char *target, FILE *out)
{
    put_path(target, out);
    fputc(':', out);
    for (size_t i = 0; i < schema->file_count; i++) {
        fputs(" \\\n  ", out);
        put_path(schema->files[i]->path, out);
    }
    fputc('\n', out);
    return ferror(out) ? -EIO : 0;
}
