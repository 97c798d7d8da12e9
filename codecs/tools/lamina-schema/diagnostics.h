/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_DIAGNOSTICS_H
#define LAM_SCHEMA_DIAGNOSTICS_H

/*
 * diagnostics.h: what is wrong with a schema, said where it is wrong.
 *
 * Messages are collected, at most SCHEMA_MESSAGE_COUNT_MAX of them, as the text that a terminal
 * shows:
 *
 *     order.fbs:7:12: error: undefined type "Prise"; did you mean "Price"?
 *         price: Prise;
 *                ^~~~~
 */

#include "ir.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SCHEMA_MESSAGE_COUNT_MAX 20u

struct schema_diagnostics {
    char *text; /* all messages, terminated; NULL while there is none. Fields are private. */
    size_t text_bytes;
    size_t capacity;
    unsigned error_count;
    bool suppressed; /* more were found than are kept */
};

void schema_diagnostics_init(struct schema_diagnostics *diagnostics);
void schema_diagnostics_fini(struct schema_diagnostics *diagnostics);

/* All that was collected; "" when nothing was. Valid until the next call on @diagnostics. */
const char *schema_diagnostics_text(const struct schema_diagnostics *diagnostics);

/*
 * Add an error at @place, whose file may be NULL for one without a source line.
 *
 * Returns -EINVAL, so that a failing function can end in one line.
 */
__attribute__((format(printf, 3, 4))) int schema_error_at(struct schema_diagnostics *diagnostics,
    const struct schema_place *place, const char *format, ...);

/* Add a note ("first declared here") that belongs to the error before it. */
__attribute__((format(printf, 3, 4))) void schema_note_at(struct schema_diagnostics *diagnostics,
    const struct schema_place *place, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
