/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_PRINT_H
#define LAM_CODECS_PRINT_H

/*
 * print.h: JSON into a bounded text. Internal to codecs.
 *
 * What does not fit is counted and dropped, as snprintf does. fini() terminates the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/codecs/schema.h"

struct lam_print {
    char *text;
    size_t capacity;
    size_t length; /* of all that was printed, whether it fitted or not */
};

void lam_print_init(struct lam_print *print, char *text, size_t capacity);

/* Returns the length. */
int64_t lam_print_fini(struct lam_print *print);

void lam_print_bytes(struct lam_print *print, const char *bytes, size_t size);

void lam_print_text(struct lam_print *print, const char *text);

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
void lam_print_string(struct lam_print *print, const char *data, size_t size);

/* "0a1b..." */
void lam_print_hex(struct lam_print *print, const unsigned char *data, size_t size);

void lam_print_i64(struct lam_print *print, int64_t value);

void lam_print_u64(struct lam_print *print, uint64_t value);

/* With the digits of a float or of a double; what JSON can not say as "nan", "inf", "-inf". */
void lam_print_float(struct lam_print *print, double value, bool is_double);

/*
 * The scalar of @kind at @at; by name where @enumeration (or NULL) knows one: "Red", "Read Write".
 */
void lam_print_scalar(
    struct lam_print *print, const void *at, unsigned kind, const struct lam_type *enumeration);

/* The struct of @type at @at, as an object. */
void lam_print_struct(
    struct lam_print *print, const struct lam_type *types, uint16_t type, const unsigned char *at);

#endif
