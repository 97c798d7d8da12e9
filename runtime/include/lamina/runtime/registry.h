/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_REGISTRY_H
#define LAM_RUNTIME_REGISTRY_H

/*
 * lamina/runtime/registry.h: a list of modules by name and version, with their files and sums.
 *
 * Runtime, floor 6. A reference NAME or NAME@RANGE is looked for here before it is looked for in
 * directories; the newest version that fits is taken. Where an entry has a SHA-256, the copy in
 * memory that would run must have it.
 *
 * As a file, in YAML (topology/config says what is refused):
 *
 *     modules:
 *       - name: greeter
 *         version: 1.2.0
 *         path: greeter-1.2.0.so      # beside this file, or absolute
 *         sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_REGISTRY_ENTRIES_MAX 4096

struct lam_registry_entry {
    const char *name; /* 1 to LAM_NAME_BYTES_MAX - 1 bytes, without / and @ */
    struct lam_version version;
    const char *path;
    const char *sha256; /* 64 hexadecimal digits; NULL: not checked */
};

/*
 * Let @entries, and nothing else, be the registry of @runtime. Everything is copied. Any thread:
 * who resolves meanwhile finds the old ones or the new ones.
 *
 * Returns 0, or (the registry is as it was)
 *   -EINVAL  an entry makes no sense, or two have the same name and version; @error says which
 *   -ENOSPC  more than LAM_REGISTRY_ENTRIES_MAX
 *   -ENOMEM
 */
int lam_runtime_register(struct lam_runtime *runtime, const struct lam_registry_entry *entries,
    uint32_t count, struct lam_error *error);

/*
 * The same with what the file at @path lists; may be called again when the file has changed. Any
 * thread.
 *
 * Returns as lam_runtime_register(), or -EINVAL (@error begins with FILE:LINE:COLUMN), -EFBIG, or
 * what open() and read() return.
 */
int lam_runtime_read_registry(
    struct lam_runtime *runtime, const char *path, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
