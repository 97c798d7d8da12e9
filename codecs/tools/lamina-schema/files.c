/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *text, size_t capacity, size_t *bytes)
{
    *bytes = 0;
    while (*bytes < capacity) {
        ssize_t got = read(fd, text + *bytes, capacity - *bytes);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        *bytes += (size_t)got;
    }
    return -EFBIG;
}

int files_read(void *context, const char *path, char **text, size_t *bytes)
{
    /* Not blocking: opening a named pipe must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    int result = 0;

    (void)context;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) != 0)
        result = -errno;
    else if (S_ISDIR(status.st_mode))
        result = -EISDIR;
    else if (!S_ISREG(status.st_mode))
        result = -EINVAL;
    if (result == 0) {
        *text = malloc(SCHEMA_FILE_BYTES_MAX + 1);
        if (*text == NULL)
            result = -ENOMEM;
        else
            result = read_all(fd, *text, SCHEMA_FILE_BYTES_MAX + 1, bytes);
        if (result != 0)
            free(*text);
    }
    (void)close(fd);
    return result;
}

/* "a/./b/../c" as "a/c": one name for one file where there is no file system to ask. */
static char *normalised(struct schema_arena *arena, const char *path)
{
    char *out = arena_copy(arena, path, strlen(path));
    size_t length = 0;
    size_t depth = 0;

    for (const char *at = path; *at != '\0';) {
        size_t part = strcspn(at, "/");

        if (part == 2 && at[0] == '.' && at[1] == '.' && depth > 0) {
            while (length > 0 && out[--length] != '/')
                continue;
            depth--;
        } else if (part > 0 && !(part == 1 && at[0] == '.')) {
            if (length > 0 || *path == '/')
                out[length++] = '/';
            memmove(out + length, at, part);
            length += part;
            depth += part == 2 && at[0] == '.' && at[1] == '.' ? 0 : 1;
        }
        at += part + (at[part] == '/');
    }
    out[length] = '\0';
    return out;
}

static const char *canonical(struct front *front, const char *path)
{
    char real[PATH_MAX];

    if (front->options->read == NULL && realpath(path, real) != NULL)
        return arena_copy(front->arena, real, strlen(real));
    return normalised(front->arena, path);
}

static struct schema_place place_in(const struct schema_file *file, size_t offset)
{
    struct schema_place place = {.file = file, .line = 1, .column = 1, .length = 1};

    for (size_t i = 0; i < offset; i++) {
        place.column++;
        if (file->text[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

static int check_text(struct front *front, const struct schema_file *file)
{
    size_t valid = utf8_valid_bytes(file->text, file->text_bytes);
    struct schema_place place;

    if (valid == file->text_bytes)
        return 0;
    place = place_in(file, valid);
    return schema_error_at(front->diagnostics, &place, "byte 0x%02x is not UTF-8 text",
        (unsigned char)file->text[valid]);
}

static int read_error(
    struct front *front, const struct schema_place *place, const char *path, int result)
{
    if (result == -EFBIG)
        return schema_error_at(front->diagnostics, place,
            "%s: a schema file may have at most %u bytes", path, SCHEMA_FILE_BYTES_MAX);
    return schema_error_at(front->diagnostics, place, "%s: %s", path,
        result == -EINVAL ? "not a regular file" : strerror(-result));
}

/* Folder @includer lies in, with its slash; "" for the current one. */
static const char *folder_of(struct front *front, const struct schema_file *includer)
{
    const char *slash = strrchr(includer->path, '/');

    if (slash == NULL)
        return "";
    return arena_copy(front->arena, includer->path, (size_t)(slash - includer->path) + 1);
}

/* The @index-th path where @spelled may be, or NULL after the last. */
static const char *candidate(
    struct front *front, const struct schema_file *includer, const char *spelled, size_t index)
{
    const char *dir;

    if (includer == NULL || spelled[0] == '/')
        return index == 0 ? spelled : NULL;
    if (index == 0)
        return arena_format(front->arena, "%s%s", folder_of(front, includer), spelled);
    if (index > front->options->include_dir_count)
        return NULL;
    dir = front->options->include_dirs[index - 1];
    if (dir[0] == '\0')
        return spelled;
    return arena_format(
        front->arena, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", spelled);
}

static int not_found(struct front *front, const struct schema_file *includer, const char *spelled,
    const struct schema_place *place)
{
    char *searched;
    const char *path;

    if (includer == NULL || spelled[0] == '/')
        return read_error(front, place, spelled, -ENOENT);
    searched = arena_format(front->arena, "%s", candidate(front, includer, spelled, 0));
    for (size_t i = 1; (path = candidate(front, includer, spelled, i)) != NULL; i++)
        if (strcmp(path, candidate(front, includer, spelled, 0)) != 0)
            searched = arena_format(front->arena, "%s, %s", searched, path);
    return schema_error_at(
        front->diagnostics, place, "cannot find \"%s\"; looked for %s", spelled, searched);
}

static struct schema_file *enter(struct front *front, const char *path, const char *spelled,
    const char *identity, const char *text, size_t bytes)
{
    struct schema_file *file = arena_alloc(front->arena, sizeof(*file));

    file->path = path;
    file->spelled = arena_copy(front->arena, spelled, strlen(spelled));
    file->text = arena_copy(front->arena, text, bytes);
    file->text_bytes = bytes;
    list_add(front->arena, &front->files, file);
    (void)name_map_add(front->arena, &front->file_names, identity, file);
    return file;
}

/* Returns 0 and the file, or -ENOENT, or -EINVAL with a message. */
static int try_open(struct front *front, const char *path, const char *spelled,
    const struct schema_place *place, struct schema_file **file)
{
    const char *identity = canonical(front, path);
    schema_read_fn *reader = front->options->read != NULL ? front->options->read : files_read;
    char *text = NULL;
    size_t bytes = 0;
    int result;

    *file = name_map_find(&front->file_names, identity, strlen(identity));
    if (*file != NULL)
        return 0;
    if (front->files.count == SCHEMA_FILE_COUNT_MAX)
        return schema_error_at(
            front->diagnostics, place, "a schema of more than %u files", SCHEMA_FILE_COUNT_MAX);
    result = reader(front->options->read_context, path, &text, &bytes);
    if (result == -ENOENT || result == -ENOTDIR)
        return -ENOENT;
    if (result != 0)
        return read_error(front, place, path, result);
    if (bytes > SCHEMA_FILE_BYTES_MAX) {
        free(text);
        return read_error(front, place, path, -EFBIG);
    }
    *file = enter(front, path, spelled, identity, text, bytes);
    free(text);
    front->text_bytes += bytes;
    if (front->text_bytes > SCHEMA_TEXT_BYTES_MAX)
        return schema_error_at(front->diagnostics, place,
            "%s: the files of a schema may have at most %u bytes together", path,
            SCHEMA_TEXT_BYTES_MAX);
    return check_text(front, *file);
}

struct schema_file *files_open(struct front *front, const struct schema_file *includer,
    const char *spelled, const struct schema_place *place, bool *is_new)
{
    static const struct schema_place nowhere = {0};
    const struct schema_place *where = place != NULL ? place : &nowhere;
    size_t known = front->files.count;
    const char *path;

    for (size_t i = 0; (path = candidate(front, includer, spelled, i)) != NULL; i++) {
        struct schema_file *file = NULL;
        int result = try_open(front, path, spelled, where, &file);

        *is_new = front->files.count > known;
        if (result != -ENOENT)
            return result == 0 ? file : NULL;
    }
    (void)not_found(front, includer, spelled, where);
    return NULL;
}
