/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lamina VERB: runs the program lamina-VERB, found beside this one or on PATH.
 *
 * Verbs live with the layer that knows them, so this file knows none.
 */
#include "lamina/config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX    "lamina-"
#define VERBS_MAX 256

struct verbs {
    char *names[VERBS_MAX];
    size_t count;
};

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int is_known(const struct verbs *verbs, const char *name)
{
    for (size_t i = 0; i < verbs->count; i++)
        if (strcmp(verbs->names[i], name) == 0)
            return 1;
    return 0;
}

static void add_folder(struct verbs *verbs, const char *folder)
{
    size_t prefix = strlen(PREFIX);
    const struct dirent *entry;
    DIR *directory = opendir(folder);

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL && verbs->count < VERBS_MAX) {
        char path[4096];

        if (strncmp(entry->d_name, PREFIX, prefix) != 0 || is_known(verbs, entry->d_name + prefix))
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (access(path, X_OK) == 0)
            verbs->names[verbs->count++] = strdup(entry->d_name + prefix);
    }
    (void)closedir(directory);
}

/* The folder that this program lies in. */
static void own_folder(char *folder, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", folder, bytes - 1);
    char *slash;

    folder[length > 0 ? length : 0] = '\0';
    slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
}

static void find_verbs(struct verbs *verbs)
{
    char folder[4096];
    const char *path = getenv("PATH");

    verbs->count = 0;
    own_folder(folder, sizeof(folder));
    add_folder(verbs, folder);
    for (; path != NULL && *path != '\0'; path += *path == ':') {
        size_t length = strcspn(path, ":");

        if (length > 0 && length < sizeof(folder)) {
            (void)snprintf(folder, sizeof(folder), "%.*s", (int)length, path);
            add_folder(verbs, folder);
        }
        path += length;
    }
    qsort(verbs->names, verbs->count, sizeof(verbs->names[0]), compare);
}

static void print_usage(FILE *out)
{
    struct verbs verbs;

    find_verbs(&verbs);
    (void)fputs("usage: lamina VERB [ARGUMENT]...\n\nverbs:", out);
    for (size_t i = 0; i < verbs.count; i++)
        (void)fprintf(out, " %s", verbs.names[i]);
    (void)fputs("\n\nlamina VERB --help says more.\n", out);
    for (size_t i = 0; i < verbs.count; i++)
        free(verbs.names[i]);
}

static void refuse(const char *verb)
{
    struct verbs verbs;
    const char *near;

    find_verbs(&verbs);
    near = lam_config_nearest(verb, (const char *const *)verbs.names, verbs.count);
    (void)fprintf(stderr, "lamina: there is no verb \"%s\"", verb);
    if (near != NULL)
        (void)fprintf(stderr, " (did you mean \"%s\"?)", near);
    (void)fputs("; lamina --help lists all\n", stderr);
    for (size_t i = 0; i < verbs.count; i++)
        free(verbs.names[i]);
}

int main(int argc, char **argv)
{
    char name[256];
    char path[4096 + 256];

    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strchr(argv[1], '/') == NULL && strlen(argv[1]) < sizeof(name) - sizeof(PREFIX)) {
        (void)snprintf(name, sizeof(name), "%s%s", PREFIX, argv[1]);
        own_folder(path, 4096);
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
        argv[1] = name;
        (void)execv(path, argv + 1);
        if (errno == ENOENT)
            (void)execvp(name, argv + 1);
        if (errno != ENOENT) {
            (void)fprintf(stderr, "lamina: %s: %s\n", name, strerror(errno));
            return 3;
        }
        argv[1] = name + strlen(PREFIX);
    }
    refuse(argv[1]);
    return 2;
}
