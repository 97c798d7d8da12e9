/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/error.h"

int lam_ring_placeholder(void);
int lam_ring_placeholder(void)
{
    return 0;
}
