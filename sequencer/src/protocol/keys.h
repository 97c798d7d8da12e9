/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_KEYS_H
#define LAM_SEQUENCER_KEYS_H

/*
 * keys.h: who is let in, and as what. A file of lines
 *
 *     ROLE KEY [COMMENT]          KEY: 32 bytes of an Ed25519 public key, in base64
 *     ROLE uid:NUMBER [COMMENT]   who comes by a Unix socket or shared memory, and is that user
 *
 * ROLE is a number that the application gives a meaning to. Lines may be empty, or begin with '#'.
 * A file is parsed from bytes that somebody has read; to reload is to parse anew.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lamina/base/error.h"
#include "protocol/frame.h"

#define KEYS_COUNT_MAX 65536

struct key {
    uint8_t key[FRAME_KEY_BYTES]; /* zeros for a uid */
    uint32_t is_uid, uid, role, line;
};

struct keys {
    struct key *all; /* in order */
    uint32_t count;
};

/*
 * The keys in @count bytes of the file @path, a name for messages alone.
 *
 * Returns 0 and @keys, which keys_free frees, or
 *   -EINVAL  a line is none of those, or says what an earlier one said; none lets anybody in
 *   -E2BIG   more than KEYS_COUNT_MAX
 *   -ENOMEM
 * with @error, which has the line's number.
 */
int keys_parse(
    struct keys *keys, const char *bytes, size_t count, const char *path, struct lam_error *error);

void keys_free(struct keys *keys);

/* Return 1 and *@role, or 0. A key never stands for a uid, whatever its bytes. */
int keys_find(const struct keys *keys, const uint8_t key[FRAME_KEY_BYTES], uint32_t *role);
int keys_find_uid(const struct keys *keys, uid_t uid, uint32_t *role);

#define KEYS_BASE64_BYTES 45 /* of a key, with a zero behind it */

/* A key as it stands in the file. */
void keys_text(const uint8_t key[FRAME_KEY_BYTES], char text[KEYS_BASE64_BYTES]);

#endif
