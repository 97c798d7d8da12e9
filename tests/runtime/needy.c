/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needy.c: a module called NAME of version MAJOR.MINOR.0 that needs NEEDS.
 */
#include "lamina/runtime/module.h"

#ifndef MAJOR
#define MAJOR 1
#endif
#ifndef MINOR
#define MINOR 0
#endif

static int version(struct lam_call *call)
{
    uint32_t number = MAJOR * 10 + MINOR;

    return lam_call_answer(call, &number, sizeof(number));
}

#ifdef NEEDS
static const struct lam_dependency needs[] = {NEEDS};
#define NEEDED .dependencies = needs, .dependency_count = sizeof(needs) / sizeof(needs[0])
#else
#define NEEDED .dependencies = NULL
#endif

#define METHODS(METHOD) METHOD(version, "version", 0)
LAM_MODULE(NAME, LAM_VERSION(MAJOR, MINOR, 0), METHODS, NEEDED);
