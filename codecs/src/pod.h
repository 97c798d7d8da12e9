/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_SRC_POD_H
#define LAM_CODECS_SRC_POD_H

/*
 * pod.h: the two functions of a pod codec that need no plain struct. Internal to codecs.
 */

#include "lamina/codecs/codec.h"

int lam_pod_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error);

int64_t lam_pod_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity);

#endif
