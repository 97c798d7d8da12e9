/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/codecs/copy.h"

void lam_codec_copy_large(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}
