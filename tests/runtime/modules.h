/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RUNTIME_MODULES_H
#define LAM_TEST_RUNTIME_MODULES_H

/*
 * modules.h: the test module's files and methods, as those who call it have them.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lamina/runtime/runtime.h"

/* Where the build puts test_module_KIND.so. */
static inline const char *module_file(const char *kind)
{
    static _Thread_local char path[2][4096];
    static _Thread_local unsigned turn;
    char *file = path[turn++ % 2];

    (void)snprintf(file, sizeof(path[0]), "%s/test_module_%s.so", MODULES, kind);
    return file;
}

/* Calls without a deadline. @size is in: the room, out: what came. */
static inline int module_ask(struct lam_module *module, const char *method, const void *request,
    uint64_t bytes, void *answer, uint64_t *size)
{
    struct lam_module_reply reply = {.data = answer, .capacity = *size};
    int rc =
        lam_module_call(module, lam_method_id(method), request, bytes, &reply, LAM_DEADLINE_NEVER);

    *size = reply.bytes;
    return rc;
}

/* The kind of the generation that answers, or 0 after an error. */
static inline char module_kind(struct lam_module *module)
{
    char answer[4] = "";
    uint64_t size = sizeof(answer);

    return module_ask(module, "echo", "ab", 2, answer, &size) == 0 && size == 3 &&
                   memcmp(answer + 1, "ab", 2) == 0
               ? answer[0]
               : 0;
}

/* What the counter came to, or 0 after an error. */
static inline uint64_t module_count(struct lam_module *module)
{
    uint64_t answer = 0, size = sizeof(answer);

    return module_ask(module, "count", NULL, 0, &answer, &size) == 0 ? answer : 0;
}

#endif
