/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.c: a module that stands on a library of the system, OpenSSL's libcrypto.
 *
 *     cc -shared -fPIC -O2 -o crypto.so crypto.c -lcrypto
 *
 *     sha256        of the request: 32 bytes
 *     hmac-sha256   the request is a byte of key length, the key, the message: 32 bytes
 *     random        the request is a little-endian uint32: so many bytes that nobody can guess
 *     -EINVAL       the request is shorter than it says; -EIO the library failed
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "lamina/runtime/module.h"

#define DIGEST_BYTES 32
#define RANDOM_MAX   (UINT32_C(1) << 20)

static int sha256(struct lam_call *call)
{
    uint8_t digest[DIGEST_BYTES];

    if (EVP_Digest(call->request, call->request_bytes, digest, NULL, EVP_sha256(), NULL) != 1)
        return -EIO;
    return lam_call_answer(call, digest, sizeof(digest));
}

static int hmac_sha256(struct lam_call *call)
{
    const uint8_t *request = (const uint8_t *)call->request;
    uint8_t digest[DIGEST_BYTES];
    uint64_t key_bytes;

    if (call->request_bytes == 0 || call->request_bytes - 1 < request[0])
        return -EINVAL;
    key_bytes = request[0];
    if (HMAC(EVP_sha256(), request + 1, (int)key_bytes, request + 1 + key_bytes,
            call->request_bytes - 1 - key_bytes, digest, NULL) == NULL)
        return -EIO;
    return lam_call_answer(call, digest, sizeof(digest));
}

/* Not idempotent: an answer that was lost is not given again. */
static int random_bytes(struct lam_call *call)
{
    const uint8_t *request = (const uint8_t *)call->request;
    uint32_t bytes = 0;
    void *reply;
    int rc;

    if (call->request_bytes != sizeof(bytes))
        return -EINVAL;
    for (int i = 0; i < 4; i++)
        bytes |= (uint32_t)request[i] << (8 * i);
    if (bytes > RANDOM_MAX)
        return -EINVAL;
    rc = lam_call_reserve(call, bytes, &reply);
    if (rc != 0 || bytes == 0)
        return rc;
    return RAND_bytes((unsigned char *)reply, (int)bytes) == 1 ? 0 : -EIO;
}

#define PURE (LAM_METHOD_IDEMPOTENT | LAM_METHOD_CACHEABLE)
#define METHODS(METHOD)                                                                            \
    METHOD(sha256, "sha256", PURE)                                                                 \
    METHOD(hmac_sha256, "hmac-sha256", PURE)                                                       \
    METHOD(random_bytes, "random", 0)

LAM_MODULE("crypto", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
