/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CODECS_EXAMPLE_H
#define TEST_CODECS_EXAMPLE_H

/*
 * example.h: one value of schemas/everything.fbs with something in every field, as a plain struct
 * and as calls of the builder, for the tests of both codecs.
 */

#include <stddef.h>

#include "everything.h"

#define EXAMPLE_BYTES 4096

/* Constant data: the value refers to nothing that ends. */
extern const struct test_all_Everything example;

/*
 * Build the same value in place, its parts in another order than pack() would choose.
 * Returns what finish returned.
 */
int example_build(void *memory, size_t capacity, size_t *size);

/* The value in @bytes in one line, in static memory; "" when it is refused. */
const char *example_describe(const struct lam_codec *codec, const void *bytes, size_t size);

#endif
