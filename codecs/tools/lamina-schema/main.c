/* SPDX-License-Identifier: Apache-2.0 */

/*
 * lamina-schema: reads a FlatBuffers schema and writes C.
 */

#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "%s: the front end is being built\n", argv[0]);
    return 2;
}
