/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ed25519.h"

#include <errno.h>

#ifdef LAM_WITH_CRYPTO

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

const char *ed25519_missing(void)
{
    return NULL;
}

int ed25519_verify(const uint8_t key[FRAME_KEY_BYTES],
    const uint8_t signature[FRAME_SIGNATURE_BYTES], const void *bytes, size_t count)
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, FRAME_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int rc = -ENOMEM;

    if (public != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1)
        rc = EVP_DigestVerify(context, signature, FRAME_SIGNATURE_BYTES, bytes, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return rc;
}

int ed25519_sign(const uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    uint8_t key[FRAME_KEY_BYTES], uint8_t signature[FRAME_SIGNATURE_BYTES])
{
    EVP_PKEY *private =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t key_bytes = FRAME_KEY_BYTES, signature_bytes = FRAME_SIGNATURE_BYTES;
    int rc = -ENOMEM;

    if (private != NULL && context != NULL &&
        EVP_PKEY_get_raw_public_key(private, key, &key_bytes) == 1 &&
        EVP_DigestSignInit(context, NULL, NULL, NULL, private) == 1 &&
        EVP_DigestSign(context, signature, &signature_bytes, bytes, count) == 1)
        rc = 0;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(private);
    ERR_clear_error();
    return rc;
}

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer, int room, int writes, void *context)
{
    (void)buffer;
    (void)room;
    (void)writes;
    (void)context;
    return -1;
}

int ed25519_read(uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    const char *path, struct lam_error *error)
{
    BIO *memory = count <= INT_MAX ? BIO_new_mem_buf(bytes, (int)count) : NULL;
    EVP_PKEY *private =
        memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;
    size_t seed_bytes = ED25519_SEED_BYTES;
    int is_read = private != NULL && EVP_PKEY_id(private) == EVP_PKEY_ED25519 &&
                  EVP_PKEY_get_raw_private_key(private, seed, &seed_bytes) == 1;

    EVP_PKEY_free(private);
    (void)BIO_free(memory);
    ERR_clear_error();
    if (is_read)
        return 0;
    return lam_error_set(error, -EINVAL,
        "%s: it is no private key of Ed25519 in PEM without a passphrase; make one by: openssl "
        "genpkey -algorithm ed25519 -out %s",
        path, path);
}

#else

const char *ed25519_missing(void)
{
    return "this build has no signatures: it found no libcrypto; on Debian: apt-get install "
           "libssl-dev, then build again";
}

int ed25519_verify(const uint8_t key[FRAME_KEY_BYTES],
    const uint8_t signature[FRAME_SIGNATURE_BYTES], const void *bytes, size_t count)
{
    (void)key;
    (void)signature;
    (void)bytes;
    (void)count;
    return -ENOTSUP;
}

int ed25519_sign(const uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    uint8_t key[FRAME_KEY_BYTES], uint8_t signature[FRAME_SIGNATURE_BYTES])
{
    (void)seed;
    (void)bytes;
    (void)count;
    (void)key;
    (void)signature;
    return -ENOTSUP;
}

int ed25519_read(uint8_t seed[ED25519_SEED_BYTES], const void *bytes, size_t count,
    const char *path, struct lam_error *error)
{
    (void)seed;
    (void)bytes;
    (void)count;
    return lam_error_set(error, -ENOTSUP, "%s: %s", path, ed25519_missing());
}

#endif
