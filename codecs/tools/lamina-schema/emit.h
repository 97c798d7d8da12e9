/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_EMIT_H
#define LAM_SCHEMA_EMIT_H

/*
 * emit.h: from a checked schema to C.
 */

#include "diagnostics.h"
#include "ir.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emit_options {
    const char *prefix;      /* --prefix, "" when not given */
    const char *output_path; /* -o, for the include guard; NULL on standard output */
};

/*
 * Write the C header for what schema->files[0] declares to @out. Deterministic: the same schema
 * and options give the same bytes.
 *
 * Returns 0, or a negative errno: -EINVAL with a message in @diagnostics when the schema uses what
 * the generator does not support, -EIO when @out failed.
 */
int emit_header(const struct schema *schema, const struct emit_options *options,
    struct schema_diagnostics *diagnostics, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
