/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_SHORTAGE_H
#define LAM_ENDPOINT_SHORTAGE_H

/*
 * shortage.h: a want of descriptors, told so that somebody can end it: whose, how many there are,
 * and where more are had.
 */

#include <stddef.h>

/* Whether @code is -EMFILE, of one process, or -ENFILE, of the machine. */
int lam_endpoint_is_shortage(int code);

/* Say in @text what @code means for this process, which is @who to the reader. */
void lam_endpoint_say_shortage(int code, const char *who, char *text, size_t text_bytes);

#endif
