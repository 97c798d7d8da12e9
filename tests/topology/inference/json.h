/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_JSON_H
#define LAM_TEST_JSON_H

/*
 * json.h: just enough of a JSON reader to hold a report to its promises. Strict: one value, whole.
 */

#include <stdint.h>

/* 1 if @text is exactly one JSON object, with white space around it at most. */
int json_is_one_object(const char *text);

/*
 * Find the value at @path in the object @text: keys joined by points, elements by number
 * ("edges.steps.bytes", "workers.0.deaths"). Returns its first byte, or NULL.
 */
const char *json_find(const char *text, const char *path);

/* The whole number at @path; UINT64_MAX where there is none. */
uint64_t json_count(const char *text, const char *path);

/* 1 if the value at @path is the text @wanted, which holds nothing that is escaped. */
int json_is_text(const char *text, const char *path, const char *wanted);

#endif
