/* SPDX-License-Identifier: Apache-2.0 */
/* From the values of the file to the fields of a configuration, as the table says. */
#include "file.h"

#include "lamina/base/assert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* @path as it is seen from the folder of the file; NULL: no memory. @prefix bytes stay in front. */
static const char *absolute(struct lam_sequencer_file *file, const char *path, size_t prefix)
{
    char *whole;

    if (path[prefix] == '/')
        return path;
    if (asprintf(&whole, "%.*s%s/%s", (int)prefix, path, file->folder, path + prefix) < 0)
        return NULL;
    LAM_ASSERT(file->path_count < sizeof(file->paths) / sizeof(*file->paths));
    file->paths[file->path_count++] = whole;
    return whole;
}

static void store_number(void *into, const struct lam_config_field *field, uint64_t number)
{
    uint32_t narrow = (uint32_t)number;

    LAM_ASSERT(field->bytes == sizeof(number) || field->bytes == sizeof(narrow));
    if (field->bytes == sizeof(number))
        memcpy(into, &number, sizeof(number));
    else
        memcpy(into, &narrow, sizeof(narrow));
}

static int store(struct lam_sequencer_file *file, const struct lam_config_node *node,
    const struct lam_config_field *field)
{
    char *into = (char *)&file->config + field->offset;
    int word = field->words != NULL ? lam_config_word(node) : -1;
    const char *text;

    switch (field->kind) {
    case LAM_CONFIG_WORD:
        store_number(into, field, (uint64_t)word);
        return 0;
    case LAM_CONFIG_TEXT:
        text = lam_config_text(node);
        if ((field->flags & FILE_PATH) != 0)
            text = absolute(file, text, 0);
        memcpy(into, &text, sizeof(text));
        return text != NULL ? 0 : -ENOMEM;
    case LAM_CONFIG_NUMBER:
    case LAM_CONFIG_BYTES:
    case LAM_CONFIG_DURATION:
    case LAM_CONFIG_FLAG:
        store_number(into, field, word >= 0 ? UINT64_MAX : lam_config_number(node));
        return 0;
    default:
        return 0; /* lists: below */
    }
}

static int fill_addresses(struct lam_sequencer_file *file, const struct lam_config_node *list)
{
    uint32_t at = 0;

    for (const struct lam_config_node *node = lam_config_first(list); node != NULL;
         node = lam_config_next(node)) {
        const char *text = lam_config_text(node);

        if (strncmp(text, "unix:", 5) == 0)
            text = absolute(file, text, 5);
        else if (strncmp(text, "tcp:", 4) != 0 && strncmp(text, "shm:", 4) != 0)
            (void)lam_config_problem(file->file, node,
                "\"%s\" is no address: write unix:PATH, tcp:HOST:PORT or shm:NAME", text);
        if (text == NULL)
            return -ENOMEM;
        file->config.listen[at++] = text;
    }
    return 0;
}

static void fill_cpus(struct lam_sequencer_file *file, const struct lam_config_node *list)
{
    for (const struct lam_config_node *node = lam_config_first(list); node != NULL;
         node = lam_config_next(node))
        file->cpus[file->config.cpu_count++] = (int)lam_config_number(node);
    if (file->config.cpu_count > 0)
        file->config.cpus = file->cpus;
}

int file_fill(struct lam_sequencer_file *file)
{
    const struct lam_config_node *root = lam_config_root(file->file);
    const struct lam_config_node *cpus = lam_config_at(root, "cpus");
    int rc = fill_addresses(file, lam_config_at(root, "listen"));

    for (const struct lam_config_field *field = file_root.fields; rc == 0 && field->key != NULL;
         field++) {
        const struct lam_config_node *node = lam_config_at(root, field->key);

        if (node != NULL)
            rc = store(file, node, field);
    }
    if (cpus != NULL)
        fill_cpus(file, cpus);
    return rc;
}
