/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCHEMA_FLATC_MATCH_H
#define TEST_SCHEMA_FLATC_MATCH_H

/*
 * match.h: our view of a schema against that of flatc, which it writes as a .bfbs file.
 */

#include "ir.h"

#include <string>

/*
 * Compare @schema with the @bfbs that flatc made of the same file with --bfbs-builtins and
 * --bfbs-comments. Prints each difference behind @name.
 *
 * Returns the number of differences.
 */
unsigned match_schema(const char *name, const schema *schema, const std::string &bfbs);

/* A random schema that both must accept, the same for the same @seed. */
std::string random_schema(unsigned seed);

#endif
