/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_TOOLS_TOOL_H
#define LAM_RING_TOOLS_TOOL_H

/*
 * tool.h: what the commands that look into rings share: their arguments, and output that is safe
 * whatever another process has written into a name.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/ring/ring.h"

/* Exit codes, beside 0. */
enum {
    TOOL_FAILED = 1,    /* the output could not be written */
    TOOL_WRONG = 2,     /* the command line */
    TOOL_NOT_THERE = 3, /* no such ring or file, or it may not be read */
    TOOL_DAMAGED = 4,   /* it is there, and makes no sense */
    TOOL_POISONED = 5   /* an end found the other's bytes impossible */
};

/* An option: a flag that is set to 1, or a value that is taken. */
struct tool_option {
    const char *name; /* "--json" */
    int *flag;
    const char **value;
};

/*
 * Read the command line of the command @name: options up to one whose name is NULL, and at most one
 * operand. Exits with 0 after --help and with TOOL_WRONG on what it cannot understand. To be called
 * before any file is opened: it also sees to standard streams that are closed.
 */
void tool_read(const char *name, const char *help, const struct tool_option *options, int argc,
    char **argv, const char **operand);

/* Say what is wrong with the command line, and exit with TOOL_WRONG. */
__attribute__((noreturn, format(printf, 1, 2))) void tool_refuse(const char *format, ...);

/* The number, or the duration ("250ms", "1s", "2" for seconds), that @text is. Exits if none. */
uint64_t tool_number(const char *option, const char *text, uint64_t most);
uint64_t tool_duration_ns(const char *option, const char *text);

/*
 * Attach read-only to the ring that is called @name, or one of whose objects has this path.
 * From here on an object that is cut short under the tool ends it with a sentence.
 *
 * Returns 0, or prints why not and returns an exit code.
 */
int tool_attach(struct lam_ring *ring, const char *directory, const char *name);

/* Whether @text is longer than @end, and ends with it. */
int tool_ends_with(const char *text, const char *end);

/* From here on, touching memory that is gone ends the tool with TOOL_DAMAGED and a sentence. */
void tool_expect_cut(void);

/* Print at most @bytes of a name, up to its end: what no terminal should see as '?'. */
void tool_print(const char *text, size_t bytes);

/* The same as a JSON string, any byte; those that are no ASCII as the character of that number. */
void tool_print_json(const char *text, size_t bytes);

/*
 * Write out what was printed. Returns 0; -1: nobody reads any longer, which is no error: end with
 * tool_exit_code(). A write error is told once.
 */
int tool_flush(void);
int tool_exit_code(int code);

/* Sleep. */
void tool_pause(uint64_t duration_ns);

/* The word for an enum lam_ring_state. */
const char *tool_state(unsigned state);

#endif
