/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_FILE_H
#define LAM_SEQUENCER_FILE_H

/*
 * file.h: how a key of the file becomes a field of struct lam_sequencer_config.
 *
 * Each row of table.c names the field that it fills. By the row's kind:
 *
 *     NUMBER, BYTES, DURATION, FLAG   the number, in 32 or 64 bits; all bits set for a word in its
 *                                     place
 *     WORD                            its index in `words`, in the order of its enum
 *     TEXT                            a pointer to it; FILE_PATH: made absolute
 *     LIST                            by hand: fill.c
 */

#include "lamina/config/config.h"
#include "lamina/sequencer/config.h"

#define FILE_PATH LAM_CONFIG_CALLERS

#define FILE_CPUS_MAX 64

extern const struct lam_config_field file_root;

struct lam_sequencer_file {
    struct lam_config *file;
    char *folder; /* absolute: of the file */
    struct lam_sequencer_config config;
    int cpus[FILE_CPUS_MAX];
    char *paths[LAM_SEQUENCER_LISTEN_MAX + 2]; /* that were made absolute */
    uint32_t path_count;
};

/* The checked file into @file->config; notes problems. Returns 0, or -ENOMEM. */
int file_fill(struct lam_sequencer_file *file);

#endif
