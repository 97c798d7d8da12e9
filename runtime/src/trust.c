/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BETWEEN " \t\r\n,"

int lam_allowed_parse(struct lam_allowed *allowed, const char *text, struct lam_error *error)
{
    char digits[2 * SUM_BYTES + 1] = "";

    *allowed = (struct lam_allowed){0, NULL};
    if (text == NULL)
        return 0;
    allowed->sums = calloc(strlen(text) / sizeof(digits) + 1, sizeof(*allowed->sums));
    if (allowed->sums == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for the sums that are allowed");
    for (text += strspn(text, BETWEEN); *text != '\0'; text += strspn(text, BETWEEN)) {
        size_t bytes = strcspn(text, BETWEEN);

        if (bytes == sizeof(digits) - 1)
            memcpy(digits, text, bytes);
        if (bytes != sizeof(digits) - 1 ||
            lam_sum_parse(digits, allowed->sums[allowed->count]) != 0) {
            free(allowed->sums);
            allowed->sums = NULL;
            return lam_error_set(
                error, -EINVAL, "allowed_sha256: \"%.80s\" is not 64 hexadecimal digits", text);
        }
        allowed->count++;
        text += bytes;
    }
    if (allowed->count != 0)
        return 0;
    free(allowed->sums);
    allowed->sums = NULL;
    return lam_error_set(
        error, -EINVAL, "allowed_sha256: it is empty, so that nothing could be loaded");
}

static void write_sum(const uint8_t sum[SUM_BYTES], char text[2 * SUM_BYTES + 1])
{
    for (uint32_t i = 0; i < SUM_BYTES; i++)
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", sum[i]);
}

static int is_allowed(const struct lam_allowed *allowed, const uint8_t sum[SUM_BYTES])
{
    for (uint32_t i = 0; i < allowed->count; i++)
        if (memcmp(allowed->sums[i], sum, SUM_BYTES) == 0)
            return 1;
    return allowed->count == 0;
}

static int check_sum(struct lam_generation *generation, struct lam_error *error)
{
    const struct lam_found *found = generation->found;
    const struct lam_allowed *allowed = &generation->runtime->allowed;
    char text[2 * SUM_BYTES + 1];
    uint8_t sum[SUM_BYTES];
    int rc;

    if (!found->has_sum && allowed->count == 0)
        return 0;
    rc = lam_sum_file(generation->image.fd, sum);
    if (rc == -ENOTSUP)
        return lam_error_set(error, rc,
            "module %s: its SHA-256 is to be checked, and there is no libcrypto.so: on Debian: "
            "apt-get install libssl3",
            found->path);
    if (rc != 0)
        return lam_error_set(error, rc, "module %s: its copy cannot be read", found->path);
    write_sum(sum, text);
    if (found->has_sum && memcmp(sum, found->sum, SUM_BYTES) != 0)
        return lam_error_set(error, -EPERM,
            "module %s: its SHA-256 is %s, which is not what the registry says", found->path, text);
    if (!is_allowed(allowed, sum))
        return lam_error_set(error, -EPERM,
            "module %s: its SHA-256 %s is none of the %u that are allowed", found->path, text,
            allowed->count);
    return 0;
}

int lam_trust_open(struct lam_generation *generation, struct lam_error *error)
{
    int rc = image_open(&generation->image, generation->found->path,
        generation->runtime->options.checks_owner, error);

    if (rc != 0)
        return rc;
    rc = check_sum(generation, error);
    if (rc != 0)
        image_close(&generation->image);
    return rc;
}
