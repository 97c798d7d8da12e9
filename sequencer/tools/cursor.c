/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/listing.h"

static int call_failed(
    struct cursor *cursor, enum lam_env_call call, const char *name, int64_t result)
{
    return lam_error_set(&cursor->error, (int)result, "%s of %s/%s: %s", lam_env_call_text(call),
        cursor->folder, name, strerrordesc_np((int)-result));
}

/* All of a file, in memory of its size. Returns 0, or -errno. */
static int read_file(struct cursor *cursor, const char *name, uint8_t **bytes, uint64_t *count)
{
    struct lam_env *env = &cursor->env.env;
    struct lam_env_io io = {.name = name};
    int64_t result = lam_env_do(env, &io, LAM_ENV_OPEN);

    if (result < 0)
        return call_failed(cursor, LAM_ENV_OPEN, name, result);
    io.file = (int)result;
    result = lam_env_do(env, &io, LAM_ENV_SIZE);
    *bytes = result < 0 ? NULL : malloc((uint64_t)result + 1);
    *count = (uint64_t)result;
    if (result >= 0 && *bytes == NULL)
        result = -ENOMEM;
    if (result >= 0)
        result = lam_env_do_all(env, LAM_ENV_READ, io.file, *bytes, *count, 0);
    (void)lam_env_do(env, &io, LAM_ENV_CLOSE);
    return result < 0 ? call_failed(cursor, LAM_ENV_READ, name, result) : 0;
}

static int find_segments(struct cursor *cursor)
{
    struct listing listing = {.names = NULL};
    int result = listing_read(&listing, &cursor->env.env);
    const char *name = NULL;
    uint64_t index, count = 0;

    cursor->first_index = UINT64_MAX;
    while ((name = listing_next(&listing, name)) != NULL) {
        if (!name_is_segment(name, &index))
            continue;
        count++;
        cursor->first_index = index < cursor->first_index ? index : cursor->first_index;
        cursor->segment_end = index >= cursor->segment_end ? index + 1 : cursor->segment_end;
    }
    listing_free(&listing);
    if (result < 0)
        return call_failed(cursor, LAM_ENV_LIST, ".", result);
    if (count == 0)
        return lam_error_set(&cursor->error, -ENOENT, "%s: there is no journal", cursor->folder);
    if (cursor->segment_end - cursor->first_index != count)
        return lam_error_set(&cursor->error, -EBADMSG,
            "%s: between its first and its last segment one is missing", cursor->folder);
    cursor->index = cursor->first_index;
    return 0;
}

static int find_mark(struct cursor *cursor)
{
    uint8_t *bytes = NULL;
    uint64_t count;
    int result = read_file(cursor, NAME_MARK, &bytes, &count);

    if (result == 0 && (count < MARK_FILE_BYTES || !mark_read(bytes, &cursor->mark)))
        result = lam_error_set(&cursor->error, -EBADMSG,
            "%s/%s: none of the two marks is whole; give this node a whole copy of its journal",
            cursor->folder, NAME_MARK);
    free(bytes);
    return result;
}

/* Where nobody has it, nobody gets it while it is read. */
static void take_lock(struct cursor *cursor)
{
    struct lam_env_io io = {.name = NAME_LOCK};
    int64_t file = lam_env_do(&cursor->env.env, &io, LAM_ENV_OPEN);

    cursor->lock_file = (int)file;
    if (file < 0)
        return;
    io.file = (int)file;
    cursor->is_in_use = lam_env_do(&cursor->env.env, &io, LAM_ENV_LOCK) == -EBUSY;
}

int cursor_open(struct cursor *cursor, const char *folder)
{
    int result;

    *cursor = (struct cursor){.folder = folder, .lock_file = -1};
    result = lam_env_linux_init(&cursor->env, folder);
    if (result < 0) {
        cursor->folder = NULL;
        return lam_error_set(&cursor->error, result, "%s: %s", folder, strerrordesc_np(-result));
    }
    take_lock(cursor);
    if ((result = find_segments(cursor)) == 0)
        result = find_mark(cursor);
    if (result < 0)
        cursor_close(cursor);
    return result;
}

void cursor_close(struct cursor *cursor)
{
    struct lam_env_io io = {.file = cursor->lock_file};

    if (cursor->folder == NULL)
        return;
    if (cursor->lock_file >= 0)
        (void)lam_env_do(&cursor->env.env, &io, LAM_ENV_CLOSE);
    lam_env_linux_fini(&cursor->env);
    free(cursor->bytes);
    cursor->bytes = NULL;
    cursor->folder = NULL;
}

static int wrong(struct cursor *cursor, const char *what)
{
    return lam_error_set(&cursor->error, -EBADMSG,
        "%s: segment %llx, offset %llu: %s; `lamina journal verify` says more", cursor->folder,
        (unsigned long long)cursor->index, (unsigned long long)cursor->place.offset, what);
}

/* The segment cursor->index, its header checked. */
static int load(struct cursor *cursor)
{
    uint32_t sector_bytes = 0;
    char name[NAME_BYTES];
    int result;

    free(cursor->bytes);
    name_segment(name, cursor->index);
    if ((result = read_file(cursor, name, &cursor->bytes, &cursor->count)) < 0)
        return result;
    cursor->place.offset = 0;
    if (cursor->count >= SEGMENT_HEADER_BYTES) {
        memcpy(&sector_bytes, cursor->bytes + offsetof(struct segment_header, sector_bytes),
            sizeof(sector_bytes));
        sector_bytes = le32toh(sector_bytes);
    }
    if (sector_bytes < BATCH_SECTOR_BYTES_MIN || sector_bytes > cursor->count ||
        !segment_header_read(cursor->bytes, sector_bytes, &cursor->header))
        return wrong(cursor, "its header is damaged");
    if (cursor->header.journal != cursor->mark.journal || cursor->header.index != cursor->index)
        return wrong(cursor, "it belongs elsewhere");
    if (cursor->index == cursor->first_index && cursor->index != 0 &&
        !batch_peek(cursor->bytes + sector_bytes, cursor->count - sector_bytes,
            cursor->header.segment, &cursor->place))
        return wrong(cursor, "older segments are gone, and its first batch is damaged");
    cursor->place.segment = cursor->header.segment;
    cursor->place.offset = sector_bytes;
    cursor->is_loaded = 1;
    return 0;
}

static void measure_tail(struct cursor *cursor)
{
    uint64_t end = cursor->count;

    while (end > cursor->place.offset && cursor->bytes[end - 1] == 0)
        end--;
    cursor->tail_bytes = end - cursor->place.offset;
}

int cursor_batch(struct cursor *cursor)
{
    int result;

    for (;;) {
        if (!cursor->is_loaded && (result = load(cursor)) < 0)
            return result;
        cursor->verdict = batch_read(cursor->bytes + cursor->place.offset,
            cursor->count - cursor->place.offset, &cursor->place, &cursor->view);
        if (cursor->verdict == BATCH_WHOLE)
            return 1;
        measure_tail(cursor);
        if (cursor->index + 1 >= cursor->segment_end)
            return 0;
        if (cursor->tail_bytes != 0)
            return wrong(cursor, batch_verdict_text(cursor->verdict));
        cursor->index++;
        cursor->is_loaded = 0;
    }
}

int cursor_next(struct cursor *cursor, struct batch_record *record)
{
    int result = 1;

    while (batch_next(&cursor->view, record) == 0)
        if ((result = cursor_batch(cursor)) != 1)
            return result;
    return 1;
}
