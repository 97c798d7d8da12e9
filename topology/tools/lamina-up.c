/* SPDX-License-Identifier: Apache-2.0 */
/* lamina up: run a topology, from its file to its end. */
#include "arguments.h"

#include "lamina/topology/supervise.h"

#include <stdio.h>

static const char help[] =
    "usage: lamina up FILE [--set NAME=VALUE]... [--json]\n"
    "\n"
    "Creates the rings of the topology in FILE, starts its roles, watches them, and stops them at\n"
    "the end of the main role, on Ctrl-C, or when a role dies and its policy is stop.\n"
    "\n"
    "  --set NAME=VALUE       a parameter of the file\n"
    "  --set ROLE.KEY=VALUE   a key of a role, as in workers.count=4\n"
    "  --set EDGE.KEY=VALUE   a key of an edge, as in steps.depth=8192\n"
    "  --json                 standard output is for the main role's result alone\n"
    "\n"
    "exit: 0 done, 1 a role failed, 2 wrong file or setting, 3 could not start, 130 interrupted\n";

int main(int argc, char **argv)
{
    struct lam_supervise_options options = {.log = stderr};
    struct arguments arguments;
    struct lam_machine machine;
    struct lam_plan *plan;
    struct lam_error error;
    int result;

    arguments_read(&arguments, argc, argv, " --json", help);
    plan = arguments_plan(&arguments, &machine);
    arguments_types(plan, &machine);
    options.json = arguments.json;
    result = lam_supervise(plan, &machine, &options, &error);
    if (result < 0) {
        (void)fprintf(stderr, "lamina up: %s\n", error.text);
        result = EXIT_NOT_STARTED;
    }
    lam_plan_destroy(plan);
    return result;
}
