/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_DUMP_H
#define LAM_SCHEMA_DUMP_H

/*
 * dump.h: a schema as text for people and tests: what was understood, one fact a line.
 */

#include "ir.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Everything, in declaration order, of all files. Returns 0, or -EIO when @out failed. */
int dump_schema(const struct schema *schema, FILE *out);

/* "0123456789abcdef full.name" for each record that files[0] declares. Returns 0 or -EIO. */
int dump_hashes(const struct schema *schema, FILE *out);

/* The rule of make and ninja that @target depends on every file. Returns 0 or -EIO. */
int dump_dependencies(const struct schema *schema, const char *target, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
