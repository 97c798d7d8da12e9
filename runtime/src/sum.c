/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum.c: SHA-256 by OpenSSL, which is looked for when the first sum is asked for: who asks for none
 * needs no libcrypto, and nothing that links us does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "trust.h"

/* SHA256() of openssl/sha.h: the same in 1.1 and in 3. */
typedef unsigned char *(*sha256_fn)(
    const unsigned char *data, size_t bytes, unsigned char sum[SUM_BYTES]);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sha256_fn sha256;

/* It stays for good. */
static void find(void)
{
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1"};

    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]) && sha256 == NULL; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        if (library != NULL)
            sha256 = (sha256_fn)(uintptr_t)dlsym(library, "SHA256");
    }
}

int lam_sum_file(int fd, uint8_t sum[SUM_BYTES])
{
    struct stat status;
    void *bytes;

    LAM_ASSERT(pthread_once(&once, find) == 0);
    if (sha256 == NULL)
        return -ENOTSUP;
    if (fstat(fd, &status) != 0)
        return -errno;
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    (void)sha256(bytes, (size_t)status.st_size, sum);
    (void)munmap(bytes, (size_t)status.st_size);
    return 0;
}
