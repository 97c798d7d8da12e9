/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of the example, with one of its functions replaced: see wrong_worker.h. */
#include "wrong_worker.h"

#include "worker.c"
