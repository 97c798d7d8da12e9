/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_SANDBOX_TRIES_H
#define LAM_TEST_SANDBOX_TRIES_H

/*
 * sandbox_tries.h: what the module that tries is asked, and what it answers.
 */

#include <stdint.h>

struct try_call {
    int64_t number;
    int64_t arguments[6];
};

struct tried {
    int64_t got; /* -1: refused, with the errno */
    int64_t error;
};

#endif
