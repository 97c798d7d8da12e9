/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_IMAGE_H
#define LAM_SEQUENCER_IMAGE_H

/*
 * image.h: a machine as bytes: for a snapshot all of them, for a digest the machine's own part,
 * then what the application's digest is made of.
 *
 *     image_header, then for each session, the one that was silent longest first:
 *         image_session, then for each kept answer, by request:
 *             image_answer, its bytes, zeros up to a multiple of 8
 *     u64 bytes of the application, then those, u32 CRC32C of all before it
 *
 * All numbers are little-endian. There is one way to write a machine down, so equal machines of an
 * application whose snapshot has one form have equal images.
 */

#include <endian.h>
#include <stdint.h>

#include "machine/machine.h"

#define IMAGE_MAGIC   UINT64_C(0x0048434d414d414c) /* "LAMAMCH" */
#define IMAGE_VERSION 1

struct image_header {
    uint64_t magic;
    uint32_t version, app_version;
    char app_name[32];
    uint32_t sessions_max, window;
    uint64_t reply_bytes;
    uint32_t event_bytes_max, reply_bytes_max, publish_bytes_max;
    uint32_t started;
    uint64_t next, time_ns, epoch;
    uint64_t kept_sequence;
    uint8_t kept_digest[BLAKE3_BYTES];
    uint32_t session_count, reserved;
};

struct image_session {
    uint64_t id, last, floor, token;
    uint32_t role, answers;
    uint8_t identity[32];
};

struct image_answer {
    uint64_t request, sequence;
    uint32_t kind, count;
};

_Static_assert(sizeof(struct image_header) == 152, "no holes");
_Static_assert(sizeof(struct image_session) == 72, "no holes");
_Static_assert(sizeof(struct image_answer) == 24, "no holes");

/* From the order of the image's bytes to ours, or back: it is the same. */
static inline void image_header_turn(struct image_header *header)
{
    header->magic = le64toh(header->magic);
    header->version = le32toh(header->version);
    header->app_version = le32toh(header->app_version);
    header->sessions_max = le32toh(header->sessions_max);
    header->window = le32toh(header->window);
    header->reply_bytes = le64toh(header->reply_bytes);
    header->event_bytes_max = le32toh(header->event_bytes_max);
    header->reply_bytes_max = le32toh(header->reply_bytes_max);
    header->publish_bytes_max = le32toh(header->publish_bytes_max);
    header->started = le32toh(header->started);
    header->next = le64toh(header->next);
    header->time_ns = le64toh(header->time_ns);
    header->epoch = le64toh(header->epoch);
    header->kept_sequence = le64toh(header->kept_sequence);
    header->session_count = le32toh(header->session_count);
    header->reserved = le32toh(header->reserved);
}

static inline void image_session_turn(struct image_session *session)
{
    session->id = le64toh(session->id);
    session->last = le64toh(session->last);
    session->floor = le64toh(session->floor);
    session->token = le64toh(session->token);
    session->role = le32toh(session->role);
    session->answers = le32toh(session->answers);
}

static inline void image_answer_turn(struct image_answer *answer)
{
    answer->request = le64toh(answer->request);
    answer->sequence = le64toh(answer->sequence);
    answer->kind = le32toh(answer->kind);
    answer->count = le32toh(answer->count);
}

#endif
