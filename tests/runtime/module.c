/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: modules for the tests, one for each way to be right or wrong, chosen by KIND.
 */

#include <errno.h>
#include <string.h>

#include "lamina/runtime/module.h"

#define GOOD         1
#define ABI_TO_COME  2
#define TOO_SMALL    3
#define NO_NAME      4
#define TOO_MANY     5
#define NO_CODE      6
#define NO_SYMBOL    7
#define GOOD_TOO     8
#define WRITES_WRONG 9

/* Answers its kind, then how often it was called, then what it was given. */
static int echo(
    const void *arguments, size_t bytes, void *result, size_t capacity, size_t *result_bytes)
{
    static unsigned char calls;
    unsigned char *text = result;

    if (capacity < bytes + 2)
        return -ENOSPC;
    text[0] = KIND;
    text[1] = ++calls;
    memcpy(text + 2, arguments, bytes);
    *result_bytes = KIND == WRITES_WRONG ? capacity + 1 : bytes + 2;
    return 0;
}

static const struct lam_module_method methods[] = {
    {"echo", echo}, {KIND == NO_CODE ? NULL : "same", echo}};

#if KIND == GOOD || KIND == GOOD_TOO || KIND == WRITES_WRONG || KIND == NO_CODE
LAM_MODULE_EXPORT("test", "1", methods);
#elif KIND == NO_SYMBOL
const struct lam_module_method *nobody_looks_for_this(void);
const struct lam_module_method *nobody_looks_for_this(void)
{
    return methods;
}
#else
__attribute__((
    visibility("default"))) extern const struct lam_module_description lam_module_description;
const struct lam_module_description lam_module_description = {
    KIND == ABI_TO_COME ? LAM_MODULE_ABI + 1 : LAM_MODULE_ABI,
    KIND == TOO_SMALL ? 8 : sizeof(struct lam_module_description),
    KIND == NO_NAME ? NULL : "test",
    "1",
    methods,
    KIND == TOO_MANY ? LAM_MODULE_METHODS_MAX + 1 : 2,
};
#endif
