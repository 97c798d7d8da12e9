/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_ELF_H
#define LAM_RUNTIME_ELF_H

/*
 * elf.h: what the loader would refuse with fewer words, or take for something else, or die of.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/*
 * Are the @bytes of @fd a shared object for this machine, whole, with parts that make sense? Which
 * code is in it is not looked at: it can do what it likes.
 *
 * Returns 0 or -ENOEXEC; @error calls it @path and says what was found.
 */
int elf_check(int fd, uint64_t bytes, const char *path, struct lam_error *error);

#endif
