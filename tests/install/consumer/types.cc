/* SPDX-License-Identifier: Apache-2.0 */
/* The same program, read by a C++ compiler. */
#include "types.c"
