/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a message of schemas/everything.fbs. What the verifier takes is
 * described, copied out and packed again, and that has to be taken too.
 *
 *     build/fuzz/tests/fuzz_flatbuffers -max_len=4096 CORPUS
 */
#include <stdlib.h>

#include "everything.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(16) unsigned char room[1 << 18];
    static _Alignas(16) unsigned char again[1 << 18];
    const struct lam_codec *codec = &test_all_Everything_flatbuffers;
    struct test_all_Everything value;
    struct lam_arena arena;
    size_t again_size;
    void *bytes;

    if (posix_memalign(&bytes, 16, size != 0 ? size : 1) != 0)
        return 0;
    if (size != 0)
        memcpy(bytes, data, size);
    lam_arena_init(&arena, room, sizeof(room));
    if (codec->verify(codec, bytes, size, NULL) == 0) {
        if (codec->describe(codec, bytes, size, (char *)again, sizeof(again)) < 0)
            abort();
        if (test_all_Everything_unpack(bytes, size, &value, &arena) == 0 &&
            test_all_Everything_pack(&value, again, sizeof(again), &again_size) == 0 &&
            codec->verify(codec, again, again_size, NULL) != 0)
            abort();
    }
    free(bytes);
    return 0;
}
