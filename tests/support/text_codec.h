/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SUPPORT_TEXT_CODEC_H
#define LAM_TESTS_SUPPORT_TEXT_CODEC_H

/*
 * text_codec.h: the smallest codec that has all the ways to fail. A value is a run of characters;
 * encoded it is its length and the characters, each changed by its place, so that shifted bytes do
 * not pass. Bound is generous, so that commits are shorter than claims.
 */

#include <stdint.h>

#include "lamina/codecs/codec.h"

struct text {
    const char *data; /* NULL can not be encoded */
    uint32_t size;
};

extern const struct lam_codec text_codec;

/* The same bytes under another name, and so another type. */
extern const struct lam_codec verse_codec;

/* Asks for more alignment than a channel gives. */
extern const struct lam_codec wide_codec;

#define TEXT_BOUND_SLACK 100
#define TEXT_HEAD_BYTES  4

/* A text whose encode() fails after its bound() was claimed. */
#define TEXT_TREACHEROUS "fails in encode"

#endif
