/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/seal.h"

#include <endian.h>
#include <string.h>

#include "lamina/base/crc32c.h"

/* Of the bytes as they lie on a disk, whatever the crc's own hold. */
static uint32_t crc_of(const uint8_t *bytes, size_t count)
{
    static const uint8_t zeros[sizeof(uint32_t)];
    uint32_t crc = lam_crc32c(0, bytes, offsetof(struct seal, crc));

    crc = lam_crc32c(crc, zeros, sizeof(zeros));
    return lam_crc32c(crc, bytes + sizeof(struct seal), count - sizeof(struct seal));
}

void seal_write(void *header, size_t count, uint64_t magic, uint32_t version)
{
    struct seal raw = {.magic = htole64(magic), .version = htole32(version)};

    memcpy(header, &raw, sizeof(raw));
    raw.crc = htole32(crc_of(header, count));
    memcpy(header, &raw, sizeof(raw));
}

int seal_holds(const void *header, size_t count, uint64_t magic, uint32_t version)
{
    struct seal raw;

    memcpy(&raw, header, sizeof(raw));
    return le64toh(raw.magic) == magic && le32toh(raw.version) == version &&
           le32toh(raw.crc) == crc_of(header, count);
}
