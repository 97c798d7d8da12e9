/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_PLAIN_H
#define LAM_RUNTIME_PLAIN_H

/*
 * plain.h: text of a host, a file or a module on a terminal. What would move its cursor, end its
 * line or colour it is written in ASCII, and so is what is not UTF-8; other letters are themselves.
 */

#include <stdio.h>

/* As "\x1b". With @has_lines the ends of its lines stay. */
void plain_print(FILE *file, const char *text, int has_lines);

/* In quotes, as JSON has it: "\u001b", and U+FFFD for what is not UTF-8. */
void plain_print_json(const char *text);

#endif
