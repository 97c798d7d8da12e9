/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugins: load every module of a folder, and call one method of each.
 *
 *     plugins_runtime FOLDER METHOD TEXT
 *
 * What is no module is named and left out. The program knows none of them when it is built.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/runtime.h"

static int is_object(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static void call(struct lam_module *module, const char *method, const char *text)
{
    char answer[4096];
    struct lam_module_reply reply = {.data = answer, .capacity = sizeof(answer)};
    struct lam_module_stat stat;
    int rc = lam_module_call(module, lam_method_id(method), text, strlen(text), &reply,
        lam_deadline_after_ns(LAM_NS_PER_S));

    lam_module_look(module, &stat);
    printf("%s %u.%u.%u: ", stat.name, stat.version.major, stat.version.minor, stat.version.patch);
    if (rc == 0)
        printf("%.*s\n", (int)reply.bytes, answer);
    else if (reply.failure == LAM_FAILURE_NO_METHOD)
        printf("has no %s\n", method);
    else
        printf("%s returned %d\n", method, rc);
}

static uint32_t load_and_call(struct lam_runtime *runtime, const char *folder, const char *file,
    const char *method, const char *text)
{
    struct lam_error error = {""};
    struct lam_module *module;
    char *path;
    int rc;

    if (asprintf(&path, "%s/%s", folder, file) < 0)
        return 0;
    rc = lam_runtime_load(runtime, path, NULL, &module, &error);
    free(path);
    if (rc != 0)
        return fprintf(stderr, "%s\n", error.text), 0;
    call(module, method, text);
    return 1;
}

int main(int argc, char **argv)
{
    struct lam_error error = {""};
    struct lam_runtime *runtime;
    struct dirent **entries;
    uint32_t loaded = 0;
    int count;

    if (argc != 4)
        return fprintf(stderr, "usage: plugins_runtime FOLDER METHOD TEXT\n") != 0;
    count = scandir(argv[1], &entries, is_object, alphasort);
    if (count < 0)
        return fprintf(stderr, "%s: %s\n", argv[1], strerror(errno)) != 0;
    if (lam_runtime_create(&runtime, NULL, &error) != 0)
        return fprintf(stderr, "plugins: %s\n", error.text) != 0;
    for (int i = 0; i < count; i++) {
        loaded += load_and_call(runtime, argv[1], entries[i]->d_name, argv[2], argv[3]);
        free(entries[i]);
    }
    free(entries);
    printf("%u modules of %d files\n", loaded, count);
    lam_runtime_destroy(runtime);
    return loaded == 0;
}
