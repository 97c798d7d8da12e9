/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_ED25519_H
#define LAM_SEQUENCER_ED25519_H

/*
 * ed25519.h: signatures, by OpenSSL's libcrypto. Where the build found none (LAM_WITH_CRYPTO is not
 * defined), all of these return -ENOTSUP, and ed25519_missing() says what to do.
 *
 * Any thread. libcrypto allocates.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "protocol/frame.h"

#define ED25519_SEED_BYTES 32

/* NULL where there are signatures, else a sentence for people. */
const char *ed25519_missing(void);

/*
 * Is @signature that of @key, for @count bytes? About 100 us. Returns 1, 0, -ENOTSUP, or -ENOMEM:
 * it could not be looked at.
 */
int ed25519_verify(const uint8_t key[FRAME_KEY_BYTES],
    const uint8_t signature[FRAME_SIGNATURE_BYTES], const void *bytes, size_t count);

/* Returns 0, -ENOTSUP or -ENOMEM. */
int ed25519_sign(const uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    uint8_t key[FRAME_KEY_BYTES], uint8_t signature[FRAME_SIGNATURE_BYTES]);

/*
 * The private key in @count bytes of PEM, without a passphrase: what "openssl genpkey -algorithm
 * ed25519" writes. @path is for messages. Returns 0, -ENOTSUP, or -EINVAL, with @error.
 */
int ed25519_read(uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    const char *path, struct lam_error *error);

#endif
