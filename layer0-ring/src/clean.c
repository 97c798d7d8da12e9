/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dead processes left: rings by the rules of names.h, staged objects by their staging lock.
 */
#include "lamina/ring/clean.h"
#include "lamina/base/crash_point.h"
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cleaner {
    const struct lam_ring_clean_options *options;
    void (*found)(void *context, const struct lam_ring_found *finding);
    void *context;
};

static void tell(const struct cleaner *cleaner, const struct lam_ring_found *finding)
{
    cleaner->found(cleaner->context, finding);
}

static uint64_t bytes_of(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

static const char *directory_of(const struct cleaner *cleaner)
{
    return cleaner->options->directory == NULL ? LAM_SEGMENT_DIRECTORY
                                               : cleaner->options->directory;
}

/* 1 when @mark is that of a control object whose locks lie where ours do. */
static int is_ours(
    const struct lam_segment *control, struct lam_ring_mark *mark, struct lam_error *error)
{
    memset(mark, 0, sizeof(*mark));
    if (lam_segment_read(control, mark, sizeof(*mark)) != 0 ||
        mark->magic != LAM_RING_CONTROL_MAGIC) {
        (void)lam_error_set(error, -EPROTO, "is no control object of a ring");
        return 0;
    }
    if (mark->version == LAM_RING_LAYOUT_VERSION)
        return 1;
    (void)lam_error_set(error, -EPROTO, "is a ring of layout version %u; this is the cleaner of %d",
        mark->version, LAM_RING_LAYOUT_VERSION);
    return 0;
}

/* Alive, dead or a file; the text says who or why. */
static enum lam_ring_find judge(const struct cleaner *cleaner, const struct lam_segment *control,
    const char *name, struct lam_error *text)
{
    struct lam_ring_mark mark;

    if (!is_ours(control, &mark, text))
        return LAM_RING_FIND_UNSURE;
    if (lam_ring_name_the_living(control, name, text) != 0)
        return LAM_RING_FIND_ALIVE;
    if ((mark.traits & LAM_RING_TRAIT_FILE) != 0 && !cleaner->options->files) {
        (void)lam_error_set(
            text, -EEXIST, "a file ring without an end: kept for its next producer");
        return LAM_RING_FIND_FILE;
    }
    (void)lam_error_set(text, -EEXIST, "no end and no maker holds it");
    return LAM_RING_FIND_DEAD;
}

/* Judge again under the replace lock, and remove. */
static void remove_ring(const struct cleaner *cleaner, const struct lam_segment *control,
    const char *data_path, struct lam_ring_found *finding, struct lam_error *text)
{
    struct lam_lock replace = {.fd = -1};
    int rc = lam_lock_take(&replace, control->fd, LAM_RING_LOCK_REPLACE);

    if (rc == -EBUSY) {
        finding->find = LAM_RING_FIND_UNSURE;
        (void)lam_error_set(text, rc, "another process replaces, cleans or revives it now");
        return;
    }
    if (rc == 0)
        finding->find = judge(cleaner, control, finding->name, text);
    LAM_CRASH_POINT("clean.proven_dead");
    if (rc == 0 && finding->find == LAM_RING_FIND_DEAD)
        rc = lam_ring_remove_names(control, data_path, text);
    else if (rc != 0)
        (void)lam_error_set(text, rc, "cannot lock it: %s", strerror(-rc));
    lam_lock_drop(&replace);
    finding->code = rc;
    finding->removed = rc == 0 && finding->find == LAM_RING_FIND_DEAD;
}

/* @file is lamina.NAME.control. */
static void look_at_ring(const struct cleaner *cleaner, const char *file, const char *name)
{
    char data_path[LAM_SEGMENT_PATH_BYTES];
    struct lam_error text = {{0}};
    struct lam_ring_found finding = {.name = name, .text = text.text};
    struct lam_segment control;
    int rc = lam_segment_open(&control, directory_of(cleaner), file, LAM_ACCESS_WRITE, &text);

    if (rc == -ENOENT || control.path[0] == '\0')
        return; /* gone since we read the directory */
    finding.find = LAM_RING_FIND_UNSURE;
    (void)snprintf(data_path, sizeof(data_path), "%.*sdata",
        (int)(strlen(control.path) - strlen("control")), control.path);
    finding.bytes = bytes_of(control.path) + bytes_of(data_path);
    if (rc == 0)
        finding.find = judge(cleaner, &control, name, &text);
    if (finding.find == LAM_RING_FIND_DEAD && cleaner->options->remove)
        remove_ring(cleaner, &control, data_path, &finding, &text);
    lam_segment_close(&control);
    tell(cleaner, &finding);
}

/*
 * By the staging lock, and then by the name: the object may have appeared meanwhile, and who is
 * about to make it looks at both, too. Returns 0 when there is nothing to tell any more.
 */
static int remove_staged(
    struct lam_segment *object, struct lam_ring_found *finding, struct lam_error *text)
{
    struct lam_lock staging = {.fd = -1};
    int rc = lam_lock_take(&staging, object->fd, LAM_SEGMENT_LOCK_STAGING);
    int there = lam_segment_has_name(object);

    LAM_CRASH_POINT("clean.staged_locked");
    if (rc == 0 && there)
        rc = lam_segment_unlink(object);
    finding->removed = rc == 0 && there;
    lam_lock_drop(&staging);
    if (rc == -EBUSY)
        return 0;
    finding->code = rc;
    if (rc != 0)
        (void)lam_error_set(text, rc, "cannot remove it: %s", strerror(-rc));
    return there;
}

/* An object under a hidden name: its maker holds the staging lock until it appears, or dies. */
static void look_at_staged(const struct cleaner *cleaner, const char *file)
{
    struct lam_error text = {{0}};
    struct lam_ring_found finding = {.find = LAM_RING_FIND_UNSURE, .name = file, .text = text.text};
    struct lam_segment object;
    int rc = lam_segment_open_staged(&object, directory_of(cleaner), file, &text);
    int telling = rc != -ENOENT;

    finding.bytes = bytes_of(object.path);
    if (rc == 0 && lam_base->lock_probe(object.fd, LAM_SEGMENT_LOCK_STAGING) != 0) {
        finding.find = LAM_RING_FIND_ALIVE;
        (void)lam_error_set(&text, -EBUSY, "is being made");
    } else if (rc == 0) {
        finding.find = LAM_RING_FIND_HALF;
        (void)lam_error_set(&text, -EBUSY, "half made, and its maker is gone");
        if (cleaner->options->remove)
            telling = remove_staged(&object, &finding, &text);
    }
    lam_segment_close(&object);
    if (telling)
        tell(cleaner, &finding);
}

/* Data whose control object is gone: there is no lock that could prove anything. */
static void look_at_data(const struct cleaner *cleaner, const char *file, const char *name)
{
    char path[LAM_SEGMENT_PATH_BYTES];
    struct lam_ring_found finding = {.find = LAM_RING_FIND_UNSURE,
        .name = name,
        .text = "data without its control object: no lock can tell whose it is"};

    if ((size_t)snprintf(path, sizeof(path), "%s/lamina.%s.control", directory_of(cleaner), name) >=
            sizeof(path) ||
        access(path, F_OK) == 0)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s", directory_of(cleaner), file);
    if (access(path, F_OK) != 0)
        return; /* read from the directory before the ring was removed, by us or another */
    finding.bytes = bytes_of(path);
    tell(cleaner, &finding);
}

/* What stands between @prefix and @suffix in @file, into @name. Returns 1 if that is what it is. */
static int is_between(
    const char *file, const char *prefix, const char *suffix, char name[LAM_SEGMENT_NAME_MAX + 1])
{
    size_t length = strlen(file);
    size_t before = strlen(prefix);
    size_t behind = strlen(suffix);

    if (length <= before + behind || length > LAM_SEGMENT_NAME_MAX ||
        strncmp(file, prefix, before) != 0 || strcmp(file + length - behind, suffix) != 0)
        return 0;
    (void)snprintf(
        name, LAM_SEGMENT_NAME_MAX + 1, "%.*s", (int)(length - before - behind), file + before);
    return 1;
}

/* .lamina.NAME.control.PID.ATTEMPT, or likewise with data. @name is left as NAME. */
static int is_staged(const char *file, char name[LAM_SEGMENT_NAME_MAX + 1])
{
    static const char *const parts[] = {".control", ".data"};
    size_t length;

    if (!is_between(file, ".lamina.", "", name))
        return 0;
    for (int numbers = 0; numbers < 2; numbers++) {
        char *dot = strrchr(name, '.');

        if (dot == NULL || dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
            return 0;
        *dot = '\0';
    }
    length = strlen(name);
    for (int i = 0; i < 2; i++) {
        size_t part = strlen(parts[i]);

        if (length > part && strcmp(name + length - part, parts[i]) == 0) {
            name[length - part] = '\0';
            return 1;
        }
    }
    return 0;
}

static void look_at(const struct cleaner *cleaner, const char *file)
{
    const char *wanted = cleaner->options->name;
    char name[LAM_SEGMENT_NAME_MAX + 1];

    if (is_staged(file, name)) {
        if (wanted == NULL || strcmp(wanted, name) == 0)
            look_at_staged(cleaner, file);
    } else if (is_between(file, "lamina.", ".control", name)) {
        if (wanted == NULL || strcmp(wanted, name) == 0)
            look_at_ring(cleaner, file, name);
    } else if (is_between(file, "lamina.", ".data", name)) {
        if (wanted == NULL || strcmp(wanted, name) == 0)
            look_at_data(cleaner, file, name);
    }
}

int lam_ring_clean(const struct lam_ring_clean_options *options,
    void (*found)(void *context, const struct lam_ring_found *finding), void *context,
    struct lam_error *error)
{
    struct cleaner cleaner = {.options = options, .found = found, .context = context};
    DIR *directory = opendir(directory_of(&cleaner));
    const struct dirent *entry;

    if (directory == NULL)
        return lam_error_set(error, -errno, "%s: %s", directory_of(&cleaner), strerror(errno));
    while ((entry = readdir(directory)) != NULL)
        look_at(&cleaner, entry->d_name);
    (void)closedir(directory);
    return 0;
}
