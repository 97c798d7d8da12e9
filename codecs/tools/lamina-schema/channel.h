/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_CHANNEL_H
#define LAM_SCHEMA_CHANNEL_H

/*
 * channel.h: what a channel says of its type, without the generated header.
 */

#include "ir.h"

#include <stdio.h>

/*
 * Write "0123456789abcdef\n", the hash, and then the text (lamina/codecs/schema.h) of the table
 * @type, a full name, in @codec: both as the generated struct lam_codec has them.
 *
 * Returns 0, -EINVAL after a message on standard error when there is no such table, -ENOMEM or
 * -EIO.
 */
int channel_write(const struct schema *schema, const char *type, const char *codec, FILE *out);

#endif
