/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lamina/typed/channel.h"

#define LINE_BYTES 96

/* One line of a schema, fit to be printed: it may have come from another process. */
struct line {
    char text[LINE_BYTES + 1];
};

static int check_alignment(const struct lam_codec *codec, struct lam_error *error)
{
    if (codec->payload_align <= LAM_TYPED_PAYLOAD_ALIGN)
        return 0;
    return lam_error_set(error, -EINVAL,
        "type %s asks for messages aligned to %zu bytes, a channel gives %d: "
        "remove the force_align above %d from its schema",
        codec->type_name, codec->payload_align, LAM_TYPED_PAYLOAD_ALIGN, LAM_TYPED_PAYLOAD_ALIGN);
}

int lam_typed_channel_describe(
    struct lam_ring_options *options, const struct lam_codec *codec, struct lam_error *error)
{
    LAM_ASSERT(options != NULL && codec != NULL && codec->type_hash != 0);
    options->type_hash = codec->type_hash;
    options->type_name = codec->type_name;
    options->schema = codec->schema;
    options->schema_bytes = (uint32_t)codec->schema_bytes;
    return check_alignment(codec, error);
}

int lam_typed_channel_create(struct lam_ring *ring, const struct lam_ring_options *options,
    const struct lam_codec *codec, struct lam_error *error)
{
    struct lam_ring_options described = *options;
    int rc = lam_typed_channel_describe(&described, codec, error);

    return rc != 0 ? rc : lam_ring_create(ring, &described, error);
}

int lam_typed_channel_attach(struct lam_ring *ring, const struct lam_ring_attach_options *options,
    const struct lam_codec *codec, struct lam_error *error)
{
    struct lam_ring_attach_options any = *options;
    int rc;

    /* Compared here and not below, because only here both types can be named. */
    any.type_hash = 0;
    rc = lam_ring_attach(ring, &any, error);
    if (rc != 0)
        return rc;
    rc = lam_typed_channel_check(ring, codec, error);
    if (rc != 0)
        lam_ring_detach(ring);
    return rc;
}

/*
 * Copy the line at *@at into @line and move *@at behind it. Past the end every line is empty.
 */
static void next_line(const char **at, const char *end, struct line *line)
{
    size_t used = 0;

    while (*at < end && **at != '\n') {
        char c = *(*at)++;

        if (used < LINE_BYTES)
            line->text[used++] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    if (*at < end)
        (*at)++;
    line->text[used] = '\0';
}

/* The first line in which two schemas differ: 1 and both lines, or 0 when none does. */
static int first_difference(const char *theirs, size_t theirs_bytes, const char *ours,
    size_t ours_bytes, struct line *their_line, struct line *our_line)
{
    const char *theirs_end = theirs + theirs_bytes;
    const char *ours_end = ours + ours_bytes;

    while (theirs < theirs_end || ours < ours_end) {
        next_line(&theirs, theirs_end, their_line);
        next_line(&ours, ours_end, our_line);
        if (strcmp(their_line->text, our_line->text) != 0)
            return 1;
    }
    return 0;
}

static int refuse(const struct lam_ring *ring, const struct lam_codec *codec,
    const char *their_name, struct lam_error *error)
{
    const void *schema = NULL;
    int64_t schema_bytes = lam_ring_schema(ring, &schema);
    struct line theirs, ours;

    if (schema_bytes <= 0)
        return lam_error_set(error, -EPROTOTYPE,
            "ring %s carries %s (hash %016" PRIx64 "), this end speaks %s in %s (hash %016" PRIx64
            ")",
            ring->name, their_name, ring->type_hash, codec->type_name, codec->name,
            codec->type_hash);
    if (!first_difference(
            schema, (size_t)schema_bytes, codec->schema, codec->schema_bytes, &theirs, &ours))
        return lam_error_set(error, -EPROTOTYPE,
            "ring %s carries %s (hash %016" PRIx64 "), this end speaks %s in %s (hash %016" PRIx64
            "): the schemas agree, the codecs differ",
            ring->name, their_name, ring->type_hash, codec->type_name, codec->name,
            codec->type_hash);
    return lam_error_set(error, -EPROTOTYPE,
        "ring %s carries %s (hash %016" PRIx64 "), this end speaks %s in %s (hash %016" PRIx64
        "); the schemas part at \"%s\" there, \"%s\" here: build both ends from one schema",
        ring->name, their_name, ring->type_hash, codec->type_name, codec->name, codec->type_hash,
        theirs.text, ours.text);
}

int lam_typed_channel_check(
    const struct lam_ring *ring, const struct lam_codec *codec, struct lam_error *error)
{
    char name[LAM_RING_TYPE_NAME_MAX + 1];
    const char *at = name;
    struct line shown;

    LAM_ASSERT(ring != NULL && codec != NULL && codec->type_hash != 0);
    if (ring->type_hash == codec->type_hash)
        return check_alignment(codec, error);
    if (ring->type_hash == 0)
        return lam_error_set(error, -EPROTOTYPE,
            "ring %s carries no type, this end speaks %s in %s (hash %016" PRIx64
            "): make the ring by lam_typed_channel_create()",
            ring->name, codec->type_name, codec->name, codec->type_hash);
    lam_ring_type_name(ring, name);
    next_line(&at, name + strlen(name), &shown);
    return refuse(ring, codec, shown.text, error);
}
