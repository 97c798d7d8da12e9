/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lamina/codecs/flatbuffers/codec.h"

#include "print.h"
#include "value.h"

static void print_table(struct lam_print *print, const struct lam_type *types, uint16_t type,
    const unsigned char *table);

static void print_one(struct lam_print *print, const struct lam_type *types,
    const struct lam_field *field, const unsigned char *at)
{
    struct lam_string string;

    switch (field->kind) {
    case LAM_KIND_TABLE:
        print_table(print, types, field->type, lam_fb_follow(at));
        break;
    case LAM_KIND_STRING:
        string = lam_fb_string_view(lam_fb_follow(at));
        lam_print_string(print, string.data, string.size);
        break;
    case LAM_KIND_STRUCT:
        lam_print_struct(print, types, field->type, at);
        break;
    default:
        lam_print_scalar(
            print, at, field->kind, field->type != LAM_TYPE_NONE ? &types[field->type] : NULL);
    }
}

/* The member that is there; what is not known, and none, is null. */
static void print_union(struct lam_print *print, const struct lam_type *types,
    const struct lam_field *field, const unsigned char *table, const unsigned char *at)
{
    const unsigned char *tag = lam_fb_field(table, field[-1].slot);
    const struct lam_field *member = tag != NULL ? lam_union_member(types, field, *tag) : NULL;

    if (member == NULL)
        lam_print_text(print, "null");
    else
        print_one(print, types, member, member->kind == LAM_KIND_STRUCT ? lam_fb_follow(at) : at);
}

/* A tag by the name of the member; NONE, and what is not known, by number. */
static void print_tag(struct lam_print *print, const struct lam_type *types,
    const struct lam_field *field, uint8_t tag)
{
    const struct lam_field *member = lam_union_member(types, field + 1, tag);

    if (member != NULL)
        lam_print_string(print, member->name, strlen(member->name));
    else
        lam_print_u64(print, tag);
}

static void print_field(struct lam_print *print, const struct lam_type *types,
    const struct lam_field *field, const unsigned char *at)
{
    const unsigned char *vector;
    uint32_t bytes = lam_element_bytes(types, field);

    if (!lam_field_is_vector(field)) {
        print_one(print, types, field, at);
        return;
    }
    vector = lam_fb_follow(at);
    lam_print_text(print, "[");
    for (uint32_t i = 0; i < lam_fb_load_u32(vector); i++) {
        if (i != 0)
            lam_print_text(print, ",");
        print_one(print, types, field, vector + 4 + (size_t)i * bytes);
    }
    lam_print_text(print, "]");
}

static void print_table(struct lam_print *print, const struct lam_type *types, uint16_t type,
    const unsigned char *table)
{
    const char *before = "";

    lam_print_text(print, "{");
    for (uint32_t i = 0; i < types[type].field_count; i++) {
        const struct lam_field *field = &types[type].fields[i];
        const unsigned char *at = lam_fb_field(table, field->slot);

        if (lam_field_is_skipped(field))
            continue;
        if (at == NULL) {
            if (!lam_field_is_scalar(field) || (field->flags & LAM_FIELD_OPTIONAL) != 0)
                continue;
            at = (const unsigned char *)&field->preset;
        }
        lam_print_text(print, before);
        lam_print_string(print, field->name, strlen(field->name));
        lam_print_text(print, ":");
        if (field->kind == LAM_KIND_UNION)
            print_union(print, types, field, table, at);
        else if ((field->flags & LAM_FIELD_TAG) != 0)
            print_tag(print, types, field, *at);
        else
            print_field(print, types, field, at);
        before = ",";
    }
    lam_print_text(print, "}");
}

int64_t lam_fb_codec_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity)
{
    const struct lam_root *root = codec->type;
    struct lam_print print;

    if (lam_fb_verify(root, bytes, size, NULL) != 0)
        return -EBADMSG;
    lam_print_init(&print, text, capacity);
    print_table(&print, root->types, root->root, lam_fb_root(bytes));
    return lam_print_fini(&print);
}
