/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One half of flatc.sh: writes the example as our bytes, and says what is in bytes.
 *
 *     flatbuffers_peer built FILE      the message that the builder makes
 *     flatbuffers_peer packed FILE     the message that pack makes
 *     flatbuffers_peer describe FILE   one line of JSON, or why the bytes are refused
 */
#include <stdio.h>
#include <string.h>

#include "example.h"

static _Alignas(16) unsigned char bytes[4 * EXAMPLE_BYTES];

static int write_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, size, file) != size)
        return 1;
    return fclose(file) != 0;
}

static int describe(const char *path)
{
    struct lam_error error = {{0}};
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL)
        return 1;
    size = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    if (test_all_Everything_verify(bytes, size, &error) != 0) {
        puts(error.text);
        return 1;
    }
    puts(example_describe(&test_all_Everything_flatbuffers, bytes, size));
    return 0;
}

int main(int argc, char **argv)
{
    size_t size;

    if (argc != 3)
        return 2;
    if (strcmp(argv[1], "describe") == 0)
        return describe(argv[2]);
    if (strcmp(argv[1], "built") == 0
            ? example_build(bytes, sizeof(bytes), &size) != 0
            : test_all_Everything_pack(&example, bytes, sizeof(bytes), &size) != 0)
        return 1;
    return write_file(argv[2], size);
}
