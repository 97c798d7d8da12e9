/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_JOURNAL_TOOL_H
#define LAM_SEQUENCER_JOURNAL_TOOL_H

/* journal_tool.h: the verbs of `lamina journal`. Each returns its exit code. */

#include "cursor.h"

enum {
    EXIT_SOUND = 0,
    EXIT_DAMAGED = 1, /* or different */
    EXIT_USAGE = 2,
    EXIT_NOT_READ = 3,
};

struct journal_options {
    const char *folders[2];
    unsigned folder_count;
    int is_json;
    uint64_t from, count; /* events */
};

int tool_inspect(const struct journal_options *options);
int tool_verify(const struct journal_options *options);
int tool_dump(const struct journal_options *options);
int tool_export(const struct journal_options *options);
int tool_diff(const struct journal_options *options);

/*
 * Opens @folder, says why not. @may_be_in_use: a journal that a living process has open is read all
 * the same, and that is said. Returns 0 or an exit code.
 */
int tool_open(struct cursor *cursor, const char *folder, int may_be_in_use);

/* Says @cursor's error. Returns EXIT_DAMAGED for what was read and is wrong, or EXIT_NOT_READ. */
int tool_failed(const struct cursor *cursor, int result);

#endif
