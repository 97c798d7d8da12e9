/* SPDX-License-Identifier: Apache-2.0 */
/*
 * risky: code that nobody trusts runs in a worker. What it does wrong is an answer, and the next
 * line finds another worker.
 *
 *     risky_runtime PARSER.so LINE...
 */
#include <stdio.h>
#include <string.h>

#include "lamina/runtime/runtime.h"

static void parse(struct lam_module *parser, const char *line)
{
    char text[256];
    struct lam_module_reply reply = {.data = text, .capacity = sizeof(text)};
    int rc = lam_module_call(parser, LAM_METHOD_ID("parse"), line, strlen(line), &reply,
        lam_deadline_after_ns(5 * LAM_NS_PER_S));

    if (rc == 0)
        (void)printf("%s: %.*s\n", line, (int)reply.bytes, text);
    else if (reply.failure == LAM_FAILURE_CRASHED)
        (void)printf("%s: the parser died of it, by signal %d\n", line, (int)reply.detail);
    else
        (void)printf("%s: refused, %s\n", line, strerror(-rc));
}

int main(int argc, char **argv)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};
    struct lam_error error = {""};
    struct lam_runtime *runtime = NULL;
    struct lam_module *parser;
    int rc;

    if (argc < 3)
        return fprintf(stderr, "usage: risky_runtime PARSER.so LINE...\n") != 0;
    rc = lam_runtime_create(&runtime, NULL, &error);
    if (rc == 0)
        rc = lam_runtime_load(runtime, argv[1], &options, &parser, &error);
    for (int i = 2; rc == 0 && i < argc; i++)
        parse(parser, argv[i]);
    if (rc != 0)
        fprintf(stderr, "risky: %s\n", error.text);
    lam_runtime_destroy(runtime);
    return rc != 0;
}
