/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FUZZ_ATTACH_H
#define TEST_FUZZ_ATTACH_H

/*
 * Both objects of a ring as a fuzzer's input: their sizes, and runs of bytes at places; the rest is
 * zero. So any bytes are two objects, real rings are short inputs, and whatever the fuzzer changes
 * in one is a change at a place.
 *
 *     byte 0  whole pages of data, less 1, mod 8    byte 1  those of control, less 13, mod 4
 *     byte 2  what is done with them                then runs: object << 7 | length - 1, place (16)
 */

#include <stddef.h>
#include <stdint.h>

#define FUZZ_HEAD_BYTES 3
#define FUZZ_INPUT_MAX  4096

/* Make sealed objects of an input. 1, or 0: it is too short for sizes. */
int fuzz_objects(const uint8_t *input, size_t size, int fds[2]);

/* The input that makes these objects. Returns its bytes, or 0: it would be longer than allowed. */
size_t fuzz_input_of(const int fds[2], uint8_t what, uint8_t input[FUZZ_INPUT_MAX]);

/* Write inputs made of real rings into @folder, made if it is not there. */
void fuzz_seed(const char *folder);

#endif
