/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_TRACE_LINE_H
#define LAM_INFERENCE_TRACE_LINE_H

/*
 * trace_line.h: the grammar of one line of a trace.
 */

#include <stddef.h>

#include "trace.h"

#define TRACE_HEADER "TIMESTAMP,ContextTokens,GeneratedTokens"

/*
 * Parse the @length bytes at @text, without their line end.
 *
 * Returns NULL and fills *@line, or the reason why not.
 */
const char *trace_parse_line(const char *text, size_t length, struct trace_line *line);

#endif
