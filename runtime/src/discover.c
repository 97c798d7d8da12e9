/* SPDX-License-Identifier: Apache-2.0 */
#include "discover.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEBOUNCE_DEFAULT_NS (100 * LAM_NS_PER_MS)
/* Who writes to a file without end does not put it off without end. */
#define DEBOUNCES_MAX 10

static struct discover_name *find(struct lam_discovery *discovery, const char *text)
{
    for (uint32_t i = 0; i < discovery->count; i++)
        if (strcmp(discovery->names[i].name, text) == 0)
            return &discovery->names[i];
    return NULL;
}

static struct discover_name *add(struct lam_discovery *discovery, const char *text)
{
    struct discover_name *name;

    if (discovery->count == LAM_DISCOVER_NAMES_MAX) {
        if (!discovery->is_full)
            lam_discover_tell(
                discovery, text, -ENOSPC, "there are more names than are looked at: it is not");
        discovery->is_full = 1;
        return NULL;
    }
    name = &discovery->names[discovery->count++];
    memset(name, 0, sizeof(*name));
    memcpy(name->name, text, LAM_NAME_BYTES_MAX);
    name->due_ns = LAM_DEADLINE_NEVER;
    return name;
}

/* Something is to be done about it in @after_ns, and not before; but not for ever. */
static void put_off(struct lam_discovery *discovery, struct discover_name *name, uint64_t after_ns)
{
    uint64_t due_ns = lam_deadline_after_ns(after_ns), last_ns;

    if (name->due_ns == LAM_DEADLINE_NEVER)
        name->since_ns = lam_clock_now_ns();
    last_ns = name->since_ns + DEBOUNCES_MAX * discovery->options.debounce_ns;
    name->due_ns = due_ns < last_ns ? due_ns : last_ns;
}

static void note(void *context, enum watch_kind kind, const char *file)
{
    struct lam_discovery *discovery = context;
    char text[LAM_NAME_BYTES_MAX];
    struct discover_name *name;
    int parsed;

    if (kind == WATCH_LOST) {
        discovery->must_scan = 1;
        return;
    }
    parsed = lam_discover_parse(file, text);
    name = parsed == 0 ? NULL : find(discovery, text);
    if (parsed != 0 && name == NULL && kind != WATCH_GONE)
        name = add(discovery, text);
    if (name == NULL)
        return;
    name->has_versions |= parsed == 2;
    name->is_forced |= kind == WATCH_HERE || kind == WATCH_WRITTEN;
    if (kind == WATCH_TOUCHED)
        memset(&name->failed, 0, sizeof(name->failed)); /* it may be readable now */
    put_off(discovery, name, kind == WATCH_HERE ? 0 : discovery->options.debounce_ns);
}

/* Everything that is there, and everything that was, in @after_ns. */
static void scan(struct lam_discovery *discovery, uint64_t after_ns)
{
    discovery->must_scan = 0;
    for (uint32_t i = 0; i < discovery->count; i++)
        put_off(discovery, &discovery->names[i], after_ns);
    for (uint32_t i = 0; i < discovery->directory_count; i++) {
        DIR *directory = opendir(discovery->directories[i]);
        struct dirent *entry;

        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            char text[LAM_NAME_BYTES_MAX];
            int parsed = lam_discover_parse(entry->d_name, text);
            struct discover_name *name = parsed == 0 ? NULL : find(discovery, text);

            if (parsed != 0 && name == NULL)
                name = add(discovery, text);
            if (name == NULL)
                continue;
            name->has_versions |= parsed == 2;
            put_off(discovery, name, after_ns);
        }
        if (directory != NULL)
            (void)closedir(directory);
    }
    LAM_ASSERT(pthread_mutex_lock(&discovery->lock) == 0);
    discovery->stat.scans++;
    LAM_ASSERT(pthread_mutex_unlock(&discovery->lock) == 0);
}

/* A module has come or gone: who waits for that is tried again. */
static void wake_waiting(struct lam_discovery *discovery)
{
    for (uint32_t i = 0; i < discovery->count; i++) {
        struct discover_name *name = &discovery->names[i];

        if (!name->waits)
            continue;
        memset(&name->failed, 0, sizeof(name->failed));
        name->due_ns = lam_clock_now_ns();
    }
}

/* What has neither a file nor a module is forgotten. */
static void forget(struct lam_discovery *discovery)
{
    static const struct discover_file none;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < discovery->count; i++) {
        const struct discover_name *name = &discovery->names[i];

        if (name->module == NULL && name->due_ns == LAM_DEADLINE_NEVER &&
            memcmp(&name->failed, &none, sizeof(none)) == 0)
            continue;
        if (kept != i)
            discovery->names[kept] = *name;
        kept++;
    }
    discovery->count = kept;
    LAM_ASSERT(pthread_mutex_lock(&discovery->lock) == 0);
    discovery->stat.names = kept;
    LAM_ASSERT(pthread_mutex_unlock(&discovery->lock) == 0);
}

/* Returns when the next one is due. */
static uint64_t apply_due(struct lam_discovery *discovery)
{
    uint64_t next_ns = LAM_DEADLINE_NEVER;
    int has_changed;

    do {
        has_changed = 0;
        for (uint32_t i = 0; i < discovery->count; i++)
            if (discovery->names[i].due_ns <= lam_clock_now_ns())
                has_changed |= lam_discover_apply(discovery, &discovery->names[i]);
        if (has_changed)
            wake_waiting(discovery);
    } while (has_changed);
    forget(discovery);
    for (uint32_t i = 0; i < discovery->count; i++)
        if (discovery->names[i].due_ns < next_ns)
            next_ns = discovery->names[i].due_ns;
    return next_ns;
}

static void *watch(void *context)
{
    struct lam_discovery *discovery = context;
    uint64_t next_ns = apply_due(discovery);

    while (watch_wait(&discovery->watch, next_ns, note, discovery)) {
        if (discovery->must_scan)
            scan(discovery, discovery->options.debounce_ns);
        next_ns = apply_due(discovery);
    }
    return NULL;
}

/* ---- its life ---- */

static int split_directories(struct lam_discovery *made, struct lam_error *error)
{
    char *at = made->text, *text;

    while ((text = strsep(&at, ":")) != NULL) {
        if (text[0] == '\0')
            continue;
        if (made->directory_count == LAM_DISCOVER_DIRECTORIES_MAX)
            return lam_error_set(error, -EINVAL, "discovery: more than %d directories",
                LAM_DISCOVER_DIRECTORIES_MAX);
        made->directories[made->directory_count++] = text;
    }
    return made->directory_count != 0
               ? 0
               : lam_error_set(error, -EINVAL, "discovery: no directories were given");
}

static void destroy(struct lam_discovery *discovery)
{
    (void)pthread_mutex_destroy(&discovery->lock);
    free(discovery->text);
    free(discovery->names);
    free(discovery);
}

static int make(struct lam_discovery **discovery, struct lam_runtime *runtime,
    const struct lam_discover_options *options, struct lam_error *error)
{
    struct lam_discovery *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "discovery: out of memory");
    LAM_ASSERT(pthread_mutex_init(&made->lock, NULL) == 0);
    made->runtime = runtime;
    made->options = *options;
    if (made->options.debounce_ns == 0)
        made->options.debounce_ns = DEBOUNCE_DEFAULT_NS;
    made->text = strdup(options->directories != NULL ? options->directories : "");
    made->names = calloc(LAM_DISCOVER_NAMES_MAX, sizeof(*made->names));
    rc = made->text != NULL && made->names != NULL
             ? split_directories(made, error)
             : lam_error_set(error, -ENOMEM, "discovery: out of memory");
    if (rc == 0 && options->module.name != NULL)
        rc = lam_error_set(
            error, -EINVAL, "discovery: modules are called what their files are: name is NULL");
    if (rc != 0) {
        destroy(made);
        return rc;
    }
    *discovery = made;
    return 0;
}

static int begin(struct lam_discovery *made, struct lam_error *error)
{
    uint32_t which;
    int rc = watch_open(&made->watch, made->directories, made->directory_count, &which);

    if (rc != 0)
        return lam_error_set(error, rc, "discovery: %s cannot be watched: %s",
            which < made->directory_count ? made->directories[which] : "a directory",
            strerror(-rc));
    /* Watched first: what comes between the two is seen by one of them. */
    scan(made, 0);
    (void)apply_due(made);
    rc = pthread_create(&made->thread, NULL, watch, made);
    if (rc == 0)
        return 0;
    watch_close(&made->watch);
    return lam_error_set(error, -rc, "discovery: no thread");
}

int lam_discover_start(struct lam_runtime *runtime, const struct lam_discover_options *options,
    struct lam_discovery **discovery, struct lam_error *error)
{
    struct lam_discovery *made = NULL;
    int rc = make(&made, runtime, options, error);

    if (rc != 0)
        return rc;
    rc = begin(made, error);
    if (rc != 0) {
        destroy(made);
        return rc;
    }
    LAM_ASSERT(pthread_mutex_lock(&runtime->lock) == 0);
    made->next = runtime->discoveries;
    runtime->discoveries = made;
    LAM_ASSERT(pthread_mutex_unlock(&runtime->lock) == 0);
    *discovery = made;
    return 0;
}

static void end(struct lam_discovery *discovery)
{
    watch_stop(&discovery->watch);
    LAM_ASSERT(pthread_join(discovery->thread, NULL) == 0);
    watch_close(&discovery->watch);
    destroy(discovery);
}

void lam_discover_stop(struct lam_discovery *discovery)
{
    struct lam_runtime *runtime = discovery->runtime;
    struct lam_discovery **at = &runtime->discoveries;

    LAM_ASSERT(pthread_mutex_lock(&runtime->lock) == 0);
    while (*at != discovery)
        at = &(*at)->next;
    *at = discovery->next;
    LAM_ASSERT(pthread_mutex_unlock(&runtime->lock) == 0);
    end(discovery);
}

void lam_discover_look(struct lam_discovery *discovery, struct lam_discover_stat *stat)
{
    LAM_ASSERT(pthread_mutex_lock(&discovery->lock) == 0);
    *stat = discovery->stat;
    LAM_ASSERT(pthread_mutex_unlock(&discovery->lock) == 0);
}

void lam_discover_end(struct lam_runtime *runtime)
{
    struct lam_discovery *one = runtime->discoveries, *next;

    for (runtime->discoveries = NULL; one != NULL; one = next) {
        next = one->next;
        end(one);
    }
}
