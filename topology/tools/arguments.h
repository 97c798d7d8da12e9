/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_TOOLS_ARGUMENTS_H
#define LAM_TOPOLOGY_TOOLS_ARGUMENTS_H

/* arguments.h: the command line that check, up and stat share. */

#include <stddef.h>

#include "lamina/topology/plan.h"

#define ARGUMENTS_SETS_MAX 128

/* Exit codes of the commands, after those of enum lam_supervise_result. */
enum {
    EXIT_WRONG = 2,      /* the command line, the file or a setting */
    EXIT_NOT_STARTED = 3 /* all was right, but it cannot run here and now */
};

struct arguments {
    const char *file;
    const char *sets[ARGUMENTS_SETS_MAX];
    size_t set_count;
    int json;
    int once;
    int dump;
    int explain;
    double interval_s;
};

/*
 * Read the command line of @command. @options names the options it has beside --set and --help, as
 * " --json --once". Exits with 0 after --help and with EXIT_WRONG on what it cannot understand.
 * To be called before any file is opened: it also sees to standard streams that are closed.
 */
void arguments_read(
    struct arguments *arguments, int argc, char **argv, const char *options, const char *help);

/* Read the plan that the arguments name, for this machine. Exits with EXIT_WRONG and the report
 * where it is wrong. */
struct lam_plan *arguments_plan(const struct arguments *arguments, struct lam_machine *machine);

/* Put the types of its edges into words. Exits with EXIT_WRONG and the report when it cannot. */
void arguments_types(struct lam_plan *plan, const struct lam_machine *machine);

#endif
