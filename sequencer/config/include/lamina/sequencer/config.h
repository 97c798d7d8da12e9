/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_CONFIG_H
#define LAM_SEQUENCER_CONFIG_H

/*
 * lamina/sequencer/config.h: a node from one file, sequencer.yaml.
 *
 * Sequencer, floor 7, lamina::sequencer_config. The file is read by lamina::config: what its table
 * does not name is refused, with file, line and column. Each key fills one field of struct
 * lam_sequencer_config; a key that is missing leaves it at its default. Relative paths are relative
 * to the folder of the file.
 *
 * One thread at a time.
 */

#include <stddef.h>

#include "lamina/sequencer/sequencer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_sequencer_file; /* opaque: one file */
struct lam_config_field;

/*
 * Read the file at @path, with @sets ("tick=10ms") in the place of what it says, and check it.
 *
 * *@report is set to NULL, or on failure to text of the caller's to print and free(): all problems
 * with file, line and column. Returns 0 and sets *@file, or
 *   -EINVAL  the file or a setting is wrong
 *   -ENOMEM, or what reading the file returned
 */
int lam_sequencer_file_read(struct lam_sequencer_file **file, const char *path,
    const char *const *sets, size_t set_count, char **report);

/* The same from @bytes of @text, which is called @name in messages. */
int lam_sequencer_file_read_text(struct lam_sequencer_file **file, const char *name,
    const char *text, size_t bytes, char **report);

/* What it says; lent until destroy, for as long as a node runs that was made of it. */
const struct lam_sequencer_config *lam_sequencer_file_config(const struct lam_sequencer_file *file);

/* NULL is allowed. */
void lam_sequencer_file_destroy(struct lam_sequencer_file *file);

/*
 * The whole main of a node: PROGRAM FILE [--set KEY=VALUE]... [--check], or PROGRAM --explain, or
 * --help. Returns an exit status: 0; 1 as lam_sequencer_run(); 2 the arguments or the file; 3 as
 * lam_sequencer_run().
 */
int lam_sequencer_main(int argc, char **argv, const struct lam_app *app);

/* The table of the file's keys, for lam_config_explain(). */
const struct lam_config_field *lam_sequencer_file_table(void);

#ifdef __cplusplus
}
#endif

#endif
