/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/format.h"

#include <endian.h>
#include <string.h>

#define MAGIC   UINT64_C(0x0050414e534d414c) /* "LAMSNAP" */
#define VERSION 1

_Static_assert(sizeof(struct snapshot_header) == SNAPSHOT_HEADER_BYTES, "as format.h says");

void snapshot_header_write(struct snapshot_header *header, const struct snapshot_place *place,
    const struct snapshot_content *content)
{
    *header = (struct snapshot_header){.journal = htole64(place->journal),
        .epoch = htole64(place->epoch),
        .next_sequence = htole64(place->next_sequence),
        .content_bytes = htole64(content->bytes),
        .app_version = htole32(place->app_version)};
    memcpy(header->chain, place->chain, sizeof(header->chain));
    memcpy(header->digest, content->digest, sizeof(header->digest));
    memcpy(header->app_name, place->app_name, sizeof(header->app_name));
    seal_write(header, sizeof(*header), MAGIC, VERSION);
}

int snapshot_header_read(const struct snapshot_header *header, struct snapshot_place *place,
    struct snapshot_content *content)
{
    *place = (struct snapshot_place){.journal = le64toh(header->journal),
        .epoch = le64toh(header->epoch),
        .next_sequence = le64toh(header->next_sequence),
        .app_version = le32toh(header->app_version)};
    memcpy(place->chain, header->chain, sizeof(place->chain));
    memcpy(place->app_name, header->app_name, sizeof(place->app_name));
    content->bytes = le64toh(header->content_bytes);
    memcpy(content->digest, header->digest, sizeof(content->digest));
    return seal_holds(header, sizeof(*header), MAGIC, VERSION) &&
           place->app_name[sizeof(place->app_name) - 1] == 0;
}

int snapshot_place_equals(const struct snapshot_place *one, const struct snapshot_place *other)
{
    return one->journal == other->journal && one->next_sequence == other->next_sequence &&
           one->app_version == other->app_version &&
           memcmp(one->chain, other->chain, sizeof(one->chain)) == 0 &&
           strcmp(one->app_name, other->app_name) == 0;
}
