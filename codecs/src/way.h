/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_WAY_H
#define LAM_CODECS_WAY_H

/*
 * way.h: where in a value a walker is, for messages about it. Internal to codecs.
 *
 * A chain of steps on the walker's stack: it costs a few stores until it is printed.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/codecs/schema.h"

#define LAM_WAY_BYTES 512
#define LAM_NO_INDEX  UINT32_MAX

/* A field, and an element of it or LAM_NO_INDEX. */
struct lam_step {
    const struct lam_step *before;
    const struct lam_field *field;
    uint32_t index;
};

/* "demo.Order.items[3].name", cut short where @text of LAM_WAY_BYTES ends. */
void lam_way_print(const char *root, const struct lam_step *step, char *text);

#endif
