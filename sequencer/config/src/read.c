/* SPDX-License-Identifier: Apache-2.0 */
/* A file to a configuration, or to a report of all that is wrong with it. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct lam_sequencer_file *create(const char *name, char **report)
{
    struct lam_sequencer_file *file = calloc(1, sizeof(*file));

    *report = NULL;
    if (file == NULL)
        return NULL;
    file->folder = lam_config_folder(name);
    if (file->folder == NULL || lam_config_create(&file->file, &file_root) != 0) {
        lam_sequencer_file_destroy(file);
        return NULL;
    }
    return file;
}

/* Ends both ways of reading: @made holds a file that was read, or was not. */
static int finish(
    struct lam_sequencer_file **file, struct lam_sequencer_file *made, int rc, char **report)
{
    if (rc == 0)
        rc = lam_config_check(made->file);
    if (rc == 0)
        rc = file_fill(made);
    if (rc == 0 && lam_config_problem_count(made->file) > 0)
        rc = -EINVAL;
    if (rc == 0) {
        *file = made;
        return 0;
    }
    if (rc != -ENOMEM)
        *report = strdup(lam_config_report(made->file));
    lam_sequencer_file_destroy(made);
    return rc;
}

int lam_sequencer_file_read(struct lam_sequencer_file **file, const char *path,
    const char *const *sets, size_t set_count, char **report)
{
    struct lam_sequencer_file *made = create(path, report);
    int rc;

    if (made == NULL)
        return -ENOMEM;
    rc = lam_config_read_file(made->file, path);
    for (size_t i = 0; rc == 0 && i < set_count; i++)
        lam_config_set(made->file, sets[i], "KEY=VALUE");
    return finish(file, made, rc, report);
}

int lam_sequencer_file_read_text(struct lam_sequencer_file **file, const char *name,
    const char *text, size_t bytes, char **report)
{
    struct lam_sequencer_file *made = create(name, report);

    if (made == NULL)
        return -ENOMEM;
    return finish(file, made, lam_config_read_text(made->file, name, text, bytes), report);
}

const struct lam_sequencer_config *lam_sequencer_file_config(const struct lam_sequencer_file *file)
{
    return &file->config;
}

void lam_sequencer_file_destroy(struct lam_sequencer_file *file)
{
    if (file == NULL)
        return;
    while (file->path_count > 0)
        free(file->paths[--file->path_count]);
    lam_config_destroy(file->file);
    free(file->folder);
    free(file);
}
