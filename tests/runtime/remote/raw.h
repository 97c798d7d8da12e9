/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RAW_H
#define LAM_TEST_RAW_H

/*
 * raw.h: a client of the endpoint that says what it likes.
 */

#include <stdint.h>

struct raw; /* opaque */

/* NULL: refused. */
struct raw *raw_connect(const char *directory, uint32_t version);
void raw_disconnect(struct raw *raw);

/* Returns 0 and what was answered, cut to @capacity, or an error. */
int raw_ask(struct raw *raw, const void *bytes, uint64_t count, void *answer, uint64_t capacity,
    uint64_t *answer_count);

/* Begin to ask, and never take the answer. Returns as lam_client_begin_until(). */
int raw_begin(struct raw *raw, const void *bytes, uint64_t count);

/* Returns as lam_client_send_until(). */
int raw_tell(struct raw *raw, const void *bytes, uint64_t count);

/* Write all over one of the rings that it shares with the host. */
void raw_scribble(struct raw *raw, uint64_t seed);

#endif
