/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_LITMUS_H
#define TEST_MODEL_LITMUS_H

struct litmus {
    const char *name;
    const char *text;
    const char *outcomes; /* all that are allowed */
    int shows_last;       /* each ends with the last values of x and y */
};

/* Up to one without a name. */
extern const struct litmus litmus_tests[];

#endif
