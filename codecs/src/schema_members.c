/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of types in the text of a schema. What the walkers rely on is checked: members inside
 * their structs and aligned, slots in order, kinds that match the types named.
 */
#include <errno.h>
#include <string.h>

#include "schema_parse.h"

static uint16_t find_type(const struct lam_parse *parse, const char *name)
{
    for (uint16_t i = 0; i < parse->type_count; i++) {
        if (strcmp(parse->types[i].name, name) == 0)
            return i;
    }
    return LAM_TYPE_NONE;
}

/* Whether a field of @kind can be of @type (or of none). */
static bool kind_fits(const struct lam_parse *parse, unsigned kind, uint16_t type)
{
    const struct lam_type *t = type != LAM_TYPE_NONE ? &parse->types[type] : NULL;

    if (kind == LAM_KIND_TABLE)
        return t != NULL && t->form == LAM_FORM_TABLE;
    if (kind == LAM_KIND_STRUCT)
        return t != NULL && t->form == LAM_FORM_STRUCT;
    if (kind == LAM_KIND_UNION)
        return t != NULL && t->form == LAM_FORM_UNION;
    return t == NULL || t->kind == kind; /* of an enum; other types have no kind */
}

/* "u32", "[table/a.B]", "f32:3", "u8/a.Enum". */
static int parse_field_type(struct lam_parse *parse, char *word, struct lam_field *field)
{
    size_t length = strlen(word);
    uint64_t count;
    char *mark;

    field->type = LAM_TYPE_NONE;
    if (word[0] == '[' && word[length - 1] == ']') {
        field->flags |= LAM_FIELD_VECTOR;
        word[length - 1] = '\0';
        word++;
    }
    mark = strchr(word, ':');
    if (mark != NULL) {
        if (!lam_words_number(mark + 1, LAM_SCHEMA_STRUCT_BYTES_MAX, &count) || count == 0)
            return lam_parse_refuse(parse, "an array has an impossible length");
        field->length = (uint32_t)count;
        *mark = '\0';
    }
    mark = strchr(word, '/');
    if (mark != NULL) {
        *mark = '\0';
        field->type = find_type(parse, mark + 1);
        if (field->type == LAM_TYPE_NONE)
            return lam_parse_refuse(parse, "a field is of a type that is not there");
    }
    field->kind = (uint8_t)lam_words_kind(word);
    if (field->kind == 0 || !kind_fits(parse, field->kind, field->type))
        return lam_parse_refuse(parse, "a field is of an impossible type");
    return 0;
}

/* "NAME SLOT TYPE [required] [optional] [=DEFAULT]" */
static int parse_table_field(struct lam_parse *parse, struct lam_field *field, uint16_t index)
{
    char **words = parse->words.words;
    uint64_t slot;
    int rc;

    if (parse->words.count < 3 || !lam_words_number(words[1], UINT16_MAX, &slot) ||
        slot != 4 + 2 * (uint64_t)index)
        return lam_parse_refuse(parse, "not a field, or not in its place");
    field->slot = (uint16_t)slot;
    if (strcmp(words[2], "deprecated") == 0) {
        field->kind = LAM_KIND_BOOL;
        field->type = LAM_TYPE_NONE;
        field->flags = LAM_FIELD_DEPRECATED;
        return 0;
    }
    if (strcmp(words[2], "tag") == 0) {
        field->kind = LAM_KIND_U8;
        field->type = LAM_TYPE_NONE;
        field->flags = LAM_FIELD_TAG;
        return 0;
    }
    rc = parse_field_type(parse, words[2], field);
    if (rc == 0 && field->length != 0)
        rc = lam_parse_refuse(parse, "an array lies outside a struct");
    if (rc == 0 && field->kind == LAM_KIND_UNION && field->flags != 0)
        rc = lam_parse_refuse(parse, "a vector of unions");
    for (uint32_t i = 3; rc == 0 && i < parse->words.count; i++) {
        if (strcmp(words[i], "required") == 0)
            field->flags |= LAM_FIELD_REQUIRED;
        else if (strcmp(words[i], "optional") == 0)
            field->flags |= LAM_FIELD_OPTIONAL;
        else if (words[i][0] != '=' || !lam_words_number(words[i] + 1, UINT64_MAX, &field->preset))
            rc = lam_parse_refuse(parse, "a word behind a field means nothing");
    }
    return rc;
}

/* "NAME OFFSET TYPE", behind the members before it, @next bytes so far. */
static int parse_member(
    struct lam_parse *parse, const struct lam_type *type, struct lam_field *field, uint64_t *next)
{
    char **words = parse->words.words;
    uint64_t offset;
    uint64_t bytes;
    uint32_t align;
    int rc;

    if (parse->words.count != 3 ||
        !lam_words_number(words[1], LAM_SCHEMA_STRUCT_BYTES_MAX, &offset))
        return lam_parse_refuse(parse, "not a member");
    rc = parse_field_type(parse, words[2], field);
    if (rc != 0)
        return rc;
    if (field->kind == LAM_KIND_STRING || field->kind > LAM_KIND_STRUCT || field->flags != 0)
        return lam_parse_refuse(parse, "a struct holds scalars and structs only");
    bytes = field->kind == LAM_KIND_STRUCT ? parse->types[field->type].inline_bytes
                                           : lam_kind_bytes(field->kind);
    align = field->kind == LAM_KIND_STRUCT ? parse->types[field->type].align : (uint32_t)bytes;
    bytes *= field->length != 0 ? field->length : 1;
    if (align == 0 || offset < *next || offset % align != 0 ||
        offset + bytes > type->inline_bytes || align > type->align)
        return lam_parse_refuse(
            parse, "a member lies outside its struct, over another one, or unaligned");
    field->place = (uint32_t)offset;
    *next = offset + bytes;
    return 0;
}

/* "NAME TAG TYPE", a member of a union. */
static int parse_union_member(struct lam_parse *parse, struct lam_field *field)
{
    char **words = parse->words.words;
    uint64_t tag;
    int rc;

    if (parse->words.count != 3 || !lam_words_number(words[1], UINT8_MAX, &tag) || tag == 0)
        return lam_parse_refuse(parse, "not a member of a union");
    field->slot = (uint16_t)tag;
    rc = parse_field_type(parse, words[2], field);
    if (rc == 0 && (field->kind < LAM_KIND_STRING || field->kind > LAM_KIND_TABLE ||
                       field->flags != 0 || field->length != 0))
        rc = lam_parse_refuse(parse, "a union holds tables, structs and strings only");
    return rc;
}

/* Walkers look for the tag in the field before a union, and for the union behind a tag. */
static int check_tags(struct lam_parse *parse, const struct lam_type *type)
{
    bool is_tag = false; /* the field before */

    for (uint16_t i = 0; i <= type->field_count; i++) {
        bool is_union = i < type->field_count && type->fields[i].kind == LAM_KIND_UNION;

        if (is_union != is_tag)
            return lam_parse_refuse(parse, "a union without its tag, or a tag without its union");
        is_tag = i < type->field_count && (type->fields[i].flags & LAM_FIELD_TAG) != 0;
    }
    return 0;
}

static int parse_value(struct lam_parse *parse, struct lam_enum_value *value)
{
    value->name = parse->words.words[0];
    if (parse->words.count != 2 ||
        !lam_words_number(parse->words.words[1], UINT64_MAX, &value->value))
        return lam_parse_refuse(parse, "not a value of an enum");
    return 0;
}

int lam_parse_members(struct lam_parse *parse, struct lam_type *type)
{
    bool is_enum = type->form == LAM_FORM_ENUM || type->form == LAM_FORM_FLAGS;
    size_t size = is_enum ? sizeof(struct lam_enum_value) : sizeof(struct lam_field);
    char *members = lam_arena_take(parse->arena, type->field_count * size, 8);
    uint64_t next = 0;
    int rc = members != NULL ? 0 : -ENOSPC;

    if (rc == 0)
        memset(members, 0, type->field_count * size);
    type->fields = is_enum ? NULL : (struct lam_field *)(void *)members;
    type->values = is_enum ? (struct lam_enum_value *)(void *)members : NULL;
    for (uint16_t i = 0; rc == 0 && i < type->field_count; i++) {
        struct lam_field *field = (struct lam_field *)(void *)members + i;

        (void)lam_words_next(&parse->words); /* the first walk saw it */
        if (is_enum) {
            rc = parse_value(parse, (struct lam_enum_value *)(void *)members + i);
            continue;
        }
        field->name = parse->words.words[0];
        if (type->form == LAM_FORM_UNION)
            rc = parse_union_member(parse, field);
        else
            rc = type->form == LAM_FORM_STRUCT ? parse_member(parse, type, field, &next)
                                               : parse_table_field(parse, field, i);
    }
    if (rc == 0 && type->form == LAM_FORM_TABLE)
        rc = check_tags(parse, type);
    return rc;
}
