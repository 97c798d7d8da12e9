/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as MessagePack, of no type and as a value of schemas/everything.fbs.
 * What is taken is packed again, and that has to be taken too.
 *
 *     build/fuzz/tests/fuzz_msgpack -max_len=4096 CORPUS
 */
#include <stdlib.h>

#include "everything.h"
#include "lamina/codecs/msgpack/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(16) unsigned char room[1 << 18];
    static unsigned char again[1 << 18];
    const struct lam_codec *codec = &test_all_Everything_msgpack;
    struct test_all_Everything value;
    struct lam_arena arena;
    size_t again_size;

    if (lam_mp_check(data, size, NULL) == 0)
        (void)codec->describe(codec, data, size, (char *)again, sizeof(again));
    lam_arena_init(&arena, room, sizeof(room));
    if (codec->decode(codec, data, size, &value, &arena) != 0)
        return 0;
    if (codec->verify(codec, data, size, NULL) != 0)
        abort();
    if (codec->encode(codec, &value, again, sizeof(again), &again_size) == 0 &&
        codec->verify(codec, again, again_size, NULL) != 0)
        abort();
    return 0;
}
