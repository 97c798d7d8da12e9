/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.c: modules by name and version.
 */
#include "lamina/runtime/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "resolve.h"

void lam_registry_init(struct lam_registry *registry)
{
    *registry = (struct lam_registry){.entries = NULL};
    LAM_ASSERT(pthread_mutex_init(&registry->lock, NULL) == 0);
}

static void free_entries(struct lam_registered *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        free(entries[i].path);
    free(entries);
}

void lam_registry_fini(struct lam_registry *registry)
{
    free_entries(registry->entries, registry->count);
    (void)pthread_mutex_destroy(&registry->lock);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int lam_sum_parse(const char *text, uint8_t sum[SUM_BYTES])
{
    for (uint32_t i = 0; i < SUM_BYTES; i++, text += 2) {
        int high = digit_of(text[0]), low = high < 0 ? -1 : digit_of(text[1]);

        if (low < 0)
            return -EINVAL;
        sum[i] = (uint8_t)(high << 4 | low);
    }
    return *text == '\0' ? 0 : -EINVAL;
}

/* Returns 0, -EINVAL or -ENOMEM. On error nothing is held. */
static int take_in(
    struct lam_registered *into, const struct lam_registry_entry *entry, struct lam_error *error)
{
    size_t bytes = strnlen(entry->name, LAM_NAME_BYTES_MAX);

    if (bytes == 0 || bytes == LAM_NAME_BYTES_MAX || strpbrk(entry->name, "/@") != NULL)
        return lam_error_set(error, -EINVAL,
            "registry: \"%.80s\" is no name: 1 to %d bytes, without / and @", entry->name,
            LAM_NAME_BYTES_MAX - 1);
    if (entry->path[0] == '\0')
        return lam_error_set(error, -EINVAL, "registry: %s: its path is empty", entry->name);
    if (entry->sha256 != NULL && lam_sum_parse(entry->sha256, into->sum) != 0)
        return lam_error_set(
            error, -EINVAL, "registry: %s: its sha256 is not 64 hexadecimal digits", entry->name);
    into->path = strdup(entry->path);
    if (into->path == NULL)
        return lam_error_set(error, -ENOMEM, "registry: out of memory");
    memcpy(into->name, entry->name, bytes);
    into->version = entry->version;
    into->has_sum = entry->sha256 != NULL;
    return 0;
}

static int refuse_twice(
    const struct lam_registered *entries, uint32_t count, struct lam_error *error)
{
    const struct lam_registered *last = &entries[count];
    char text[LAM_VERSION_TEXT_BYTES];

    for (uint32_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, last->name) == 0 &&
            lam_version_compare(entries[i].version, last->version) == 0)
            return lam_error_set(error, -EINVAL, "registry: %s %s is there twice", last->name,
                lam_version_format(last->version, text));
    return 0;
}

int lam_runtime_register(struct lam_runtime *runtime, const struct lam_registry_entry *entries,
    uint32_t count, struct lam_error *error)
{
    struct lam_registry *registry = &runtime->registry;
    struct lam_registered *fresh, *old;
    uint32_t taken = 0, old_count;
    int rc = 0;

    if (count > LAM_REGISTRY_ENTRIES_MAX)
        return lam_error_set(
            error, -ENOSPC, "registry: %u entries, at most %u", count, LAM_REGISTRY_ENTRIES_MAX);
    fresh = calloc(count + 1, sizeof(*fresh));
    if (fresh == NULL)
        return lam_error_set(error, -ENOMEM, "registry: out of memory");
    for (; taken < count && rc == 0; taken += rc == 0)
        rc = take_in(&fresh[taken], &entries[taken], error);
    for (uint32_t i = 1; i < count && rc == 0; i++)
        rc = refuse_twice(fresh, i, error);
    if (rc != 0) {
        free_entries(fresh, taken);
        return rc;
    }
    LAM_ASSERT(pthread_mutex_lock(&registry->lock) == 0);
    old = registry->entries;
    old_count = registry->count;
    registry->entries = fresh;
    registry->count = count;
    LAM_ASSERT(pthread_mutex_unlock(&registry->lock) == 0);
    free_entries(old, old_count);
    return 0;
}

static const struct lam_registered *newest(const struct lam_registry *registry, const char *name,
    size_t name_bytes, const struct lam_range *range)
{
    const struct lam_registered *best = NULL;

    for (uint32_t i = 0; i < registry->count; i++) {
        const struct lam_registered *one = &registry->entries[i];

        if (strncmp(one->name, name, name_bytes) == 0 && one->name[name_bytes] == '\0' &&
            lam_range_has(range, one->version) &&
            (best == NULL || lam_version_compare(one->version, best->version) > 0))
            best = one;
    }
    return best;
}

int lam_registry_find(struct lam_registry *registry, const char *name, size_t name_bytes,
    const struct lam_range *range, struct lam_found *found)
{
    const struct lam_registered *best;
    int rc = 0;

    if (name_bytes >= LAM_NAME_BYTES_MAX)
        return 0;
    LAM_ASSERT(pthread_mutex_lock(&registry->lock) == 0);
    best = newest(registry, name, name_bytes, range);
    if (best != NULL) {
        found->path = strdup(best->path);
        found->version = best->version;
        found->has_version = 1;
        found->has_sum = best->has_sum;
        memcpy(found->sum, best->sum, SUM_BYTES);
        rc = found->path == NULL ? -ENOMEM : 1;
    }
    LAM_ASSERT(pthread_mutex_unlock(&registry->lock) == 0);
    return rc;
}
