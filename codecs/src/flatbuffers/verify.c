/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the message along the tables of types. The way to where we are is a chain of
 * frames on the stack, at most as deep as the limit, so that it costs nothing until it is printed.
 */
#include "lamina/codecs/flatbuffers/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "lamina/codecs/flatbuffers/read.h"

#include "value.h"
#include "way.h"

struct walk {
    const struct lam_root *root;
    const unsigned char *bytes;
    uint32_t size;
    uint32_t depth;
    uint32_t depth_max;
    uint32_t tables_left;
    uint64_t bytes_left;
    struct lam_error *error;
};

__attribute__((cold, noinline)) static bool refuse(
    const struct walk *walk, const struct lam_step *step, uint64_t at, const char *reason)
{
    char way[LAM_WAY_BYTES];

    lam_way_print(walk->root->types[walk->root->root].name, step, way);
    (void)lam_error_set(walk->error, -EBADMSG, "%s: at byte %" PRIu64 " of %" PRIu32 ": %s", way,
        at, walk->size, reason);
    return false;
}

static uint32_t load_u32(const struct walk *walk, uint32_t at)
{
    return lam_fb_load_u32(walk->bytes + at);
}

static uint16_t load_u16(const struct walk *walk, uint32_t at)
{
    return lam_fb_load_u16(walk->bytes + at);
}

/*
 * Where the offset at @link points to: forward, inside with four bytes to spare, and aligned; or 0,
 * where nothing can lie, after a refusal.
 */
static uint32_t follow(const struct walk *walk, const struct lam_step *step, uint32_t link)
{
    uint32_t offset = load_u32(walk, link);

    if (offset == 0)
        return refuse(walk, step, link, "an offset is 0");
    if (offset > walk->size || link + offset > walk->size - 4)
        return refuse(walk, step, link, "an offset leads outside");
    if (((link + offset) & 3) != 0)
        return refuse(walk, step, link, "an offset leads to an unaligned place");
    return link + offset;
}

static bool visit(struct walk *walk, const struct lam_step *step, uint32_t at, uint64_t bytes)
{
    if (bytes > walk->bytes_left)
        return refuse(walk, step, at, "the message refers to the same bytes too often");
    walk->bytes_left -= bytes;
    return true;
}

/* The vector at @at of elements of @element_bytes: whole, aligned where it has any. */
static bool check_vector(struct walk *walk, const struct lam_step *step, uint32_t at,
    uint32_t element_bytes, uint32_t align)
{
    uint32_t count = load_u32(walk, at);
    uint64_t bytes = (uint64_t)count * element_bytes;

    if (bytes > walk->size - at - 4)
        return refuse(walk, step, at, "a vector is longer than the message");
    if (count != 0 && ((at + 4) & (align - 1)) != 0)
        return refuse(walk, step, at, "the elements of a vector are not aligned");
    return visit(walk, step, at, bytes + 4);
}

static bool check_string(struct walk *walk, const struct lam_step *step, uint32_t link)
{
    uint32_t at = follow(walk, step, link);
    uint32_t length;

    if (at == 0)
        return false;
    length = load_u32(walk, at);
    if (length >= walk->size - at - 4)
        return refuse(walk, step, at, "a string is longer than the message");
    if (walk->bytes[at + 4 + length] != 0)
        return refuse(walk, step, at, "a string does not end in NUL");
    return visit(walk, step, at, (uint64_t)length + 5);
}

static bool check_table(
    struct walk *walk, const struct lam_step *step, uint32_t link, uint16_t type);

/* The struct of @type that the offset at @link refers to, as in unions. */
static bool check_object(
    struct walk *walk, const struct lam_step *step, uint32_t link, uint16_t type)
{
    const struct lam_type *t = &walk->root->types[type];
    uint32_t offset = load_u32(walk, link);

    if (offset == 0)
        return refuse(walk, step, link, "an offset is 0");
    if (offset > walk->size || t->inline_bytes > walk->size ||
        link + offset > walk->size - t->inline_bytes)
        return refuse(walk, step, link, "an offset leads outside");
    if (((link + offset) & (t->align - 1U)) != 0)
        return refuse(walk, step, link, "an offset leads to an unaligned place");
    return visit(walk, step, link, t->inline_bytes);
}

/* The member that @tag says. None is not looked at, and neither is what the type does not know. */
static bool check_union(struct walk *walk, const struct lam_step *step,
    const struct lam_field *field, uint32_t link, uint8_t tag)
{
    const struct lam_field *member = lam_union_member(walk->root->types, field, tag);

    if (member == NULL)
        return true;
    if (member->kind == LAM_KIND_STRING)
        return check_string(walk, step, link);
    if (member->kind == LAM_KIND_STRUCT)
        return check_object(walk, step, link, member->type);
    return check_table(walk, step, link, member->type);
}

static bool check_objects(
    struct walk *walk, const struct lam_step *step, const struct lam_field *field, uint32_t vector)
{
    uint32_t count = load_u32(walk, vector);
    struct lam_step inner = {step->before, field, 0};

    for (; inner.index < count; inner.index++) {
        uint32_t link = vector + 4 + 4 * inner.index;

        if (field->kind == LAM_KIND_STRING ? !check_string(walk, &inner, link)
                                           : !check_table(walk, &inner, link, field->type))
            return false;
    }
    return true;
}

/* What the offset at @link, of a field that is a vector, string or table, refers to. */
static bool check_reference(
    struct walk *walk, const struct lam_step *step, const struct lam_field *field, uint32_t link)
{
    uint32_t element_bytes = lam_kind_bytes(field->kind);
    uint32_t align = element_bytes;
    uint32_t at;

    if ((field->flags & LAM_FIELD_VECTOR) == 0)
        return field->kind == LAM_KIND_STRING ? check_string(walk, step, link)
                                              : check_table(walk, step, link, field->type);
    at = follow(walk, step, link);
    if (at == 0)
        return false;
    if (field->kind == LAM_KIND_STRUCT) {
        element_bytes = walk->root->types[field->type].inline_bytes;
        align = walk->root->types[field->type].align;
    }
    if (!check_vector(walk, step, at, element_bytes, align))
        return false;
    if (field->kind != LAM_KIND_STRING && field->kind != LAM_KIND_TABLE)
        return true;
    return check_objects(walk, step, field, at);
}

/* The field at @place of a table of @inline_bytes at @table. */
static bool check_field(struct walk *walk, const struct lam_step *step,
    const struct lam_field *field, uint32_t table, uint32_t place, uint32_t inline_bytes)
{
    bool is_vector = (field->flags & LAM_FIELD_VECTOR) != 0;
    uint32_t bytes = is_vector ? 4 : lam_kind_bytes(field->kind);
    uint32_t align = bytes;

    if (field->kind == LAM_KIND_STRUCT && !is_vector) {
        bytes = walk->root->types[field->type].inline_bytes;
        align = walk->root->types[field->type].align;
    }
    if (place < 4 || place > inline_bytes || bytes > inline_bytes - place)
        return refuse(walk, step, table, "a field lies outside its table");
    if (((table + place) & (align - 1)) != 0)
        return refuse(walk, step, (uint64_t)table + place, "a field is not aligned");
    if (!is_vector && field->kind < LAM_KIND_STRING)
        return true;
    if (!is_vector && (field->kind == LAM_KIND_STRUCT || field->kind == LAM_KIND_UNION))
        return true;
    return check_reference(walk, step, field, table + place);
}

/* Where the vtable of @table lies: whole, inside, and the table it describes too; or 0. */
static uint32_t check_vtable(struct walk *walk, const struct lam_step *step, uint32_t table)
{
    int64_t at = (int64_t)table - (int32_t)load_u32(walk, table);
    uint32_t vtable;
    uint32_t bytes;

    if (at < 4 || at > (int64_t)walk->size - 4 || (at & 1) != 0)
        return refuse(walk, step, table, "a table's vtable lies outside or unaligned");
    vtable = (uint32_t)at;
    bytes = load_u16(walk, vtable);
    if (bytes < 4 || (bytes & 1) != 0 || bytes > walk->size - vtable)
        return refuse(walk, step, vtable, "a vtable has an impossible size");
    bytes = load_u16(walk, vtable + 2);
    if (bytes < 4 || bytes > walk->size - table)
        return refuse(walk, step, vtable, "a table has an impossible size");
    return visit(walk, step, table, bytes) ? vtable : 0; /* vtables are shared by design */
}

/* The tag of the union in @field, which is the field before and was checked; 0 when absent. */
static uint8_t tag_before(
    const struct walk *walk, const struct lam_field *field, uint32_t table, uint32_t vtable)
{
    uint32_t slot = field[-1].slot;
    uint32_t place = slot < load_u16(walk, vtable) ? load_u16(walk, vtable + slot) : 0;

    return place != 0 ? walk->bytes[table + place] : 0;
}

static bool check_fields(struct walk *walk, const struct lam_step *step,
    const struct lam_type *type, uint32_t table, uint32_t vtable)
{
    uint32_t vtable_bytes = load_u16(walk, vtable);
    uint32_t inline_bytes = load_u16(walk, vtable + 2);
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct lam_field *field = &type->fields[i];
        uint32_t place = field->slot < vtable_bytes ? load_u16(walk, vtable + field->slot) : 0;

        inner.field = field;
        if (place == 0) {
            if ((field->flags & LAM_FIELD_REQUIRED) != 0)
                return refuse(walk, &inner, table, "a required field is absent");
            continue;
        }
        if ((field->flags & LAM_FIELD_DEPRECATED) != 0)
            continue;
        if (!check_field(walk, &inner, field, table, place, inline_bytes))
            return false;
        if (field->kind == LAM_KIND_UNION && !check_union(walk, &inner, field, table + place,
                                                 tag_before(walk, field, table, vtable)))
            return false;
    }
    return true;
}

static bool check_table(
    struct walk *walk, const struct lam_step *step, uint32_t link, uint16_t type)
{
    uint32_t table = follow(walk, step, link);
    uint32_t vtable;
    bool good;

    if (table == 0)
        return false;
    if (walk->depth == walk->depth_max)
        return refuse(walk, step, table, "tables are nested too deep");
    if (walk->tables_left == 0)
        return refuse(walk, step, table, "there are too many tables");
    walk->depth++;
    walk->tables_left--;
    vtable = check_vtable(walk, step, table);
    good = vtable != 0 && check_fields(walk, step, &walk->root->types[type], table, vtable);
    walk->depth--;
    return good;
}

static const struct lam_fb_limits default_limits = LAM_FB_LIMITS_DEFAULT;

/* A field that refers to nothing: its bytes are all there is. */
static bool is_plain(const struct lam_field *field)
{
    return (field->kind < LAM_KIND_STRING || field->kind == LAM_KIND_STRUCT) &&
           (field->flags & LAM_FIELD_VECTOR) == 0;
}

/*
 * A root table in which scalars and structs alone are present, laid out as our own builder does:
 * the same answer as the walk's, in half its time. Any other message is left to the walk.
 */
static bool is_flat_and_ours(const struct lam_root *root, const unsigned char *bytes, uint32_t size)
{
    const struct lam_type *type = &root->types[root->root];
    uint32_t vtable_bytes = type->vtable_bytes;
    uint32_t table = lam_fb_load_u32(bytes);
    const unsigned char *vtable;

    if (type->inline_bytes < 4 || type->inline_bytes > size || table > size - type->inline_bytes ||
        table < 4 + vtable_bytes || (table & (type->align - 1U)) != 0)
        return false;
    vtable = bytes + table - vtable_bytes;
    if (lam_fb_load_u32(bytes + table) != vtable_bytes ||
        lam_fb_load_u32(vtable) != (vtable_bytes | type->inline_bytes << 16))
        return false;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct lam_field *field = &type->fields[i];
        uint16_t place;

        if (field->slot + 2U > vtable_bytes)
            return false;
        place = lam_fb_load_u16(vtable + field->slot);
        if (place == 0 ? (field->flags & LAM_FIELD_REQUIRED) != 0
                       : place != field->place || !is_plain(field))
            return false;
    }
    return true;
}

int lam_fb_verify_within(const struct lam_root *root, const void *bytes, size_t size,
    const struct lam_fb_limits *limits, struct lam_error *error)
{
    struct walk walk = {.root = root,
        .bytes = bytes,
        .depth_max = limits->depth,
        .tables_left = limits->tables,
        .bytes_left = limits->bytes != 0 ? limits->bytes : 64 * (uint64_t)size,
        .error = error};
    size_t least = root->identifier != NULL ? 16 : 12; /* the offset, a vtable, a table */

    walk.size = size <= INT32_MAX ? (uint32_t)size : INT32_MAX;
    if (size > INT32_MAX || size < least) {
        (void)refuse(&walk, NULL, 0, "a message is from 12 bytes to 2 GiB");
        return -EBADMSG;
    }
    if (((uintptr_t)bytes & (root->align - 1U)) != 0) {
        (void)refuse(&walk, NULL, 0, "the message starts at an unaligned address");
        return -EBADMSG;
    }
    if (root->identifier != NULL && memcmp(walk.bytes + 4, root->identifier, 4) != 0) {
        (void)refuse(&walk, NULL, 4, "the file identifier is another one");
        return -EBADMSG;
    }
    if (limits == &default_limits && is_flat_and_ours(root, walk.bytes, walk.size))
        return 0;
    return check_table(&walk, NULL, 0, root->root) ? 0 : -EBADMSG;
}

int lam_fb_verify(
    const struct lam_root *root, const void *bytes, size_t size, struct lam_error *error)
{
    return lam_fb_verify_within(root, bytes, size, &default_limits, error);
}
