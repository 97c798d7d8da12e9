/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

#include <errno.h>

int emit_header(const struct schema *schema, const struct emit_options *options,
    struct schema_diagnostics *diagnostics, FILE *out)
{
    (void)options;
    (void)diagnostics;
    return fprintf(out, "/* made from %s */\n", schema->files[0]->path) < 0 ? -EIO : 0;
}
