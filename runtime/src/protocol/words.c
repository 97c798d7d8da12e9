/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c: what the numbers of the protocol mean, and what two sides agree on.
 */
#include <errno.h>

#include "lamina/runtime/messages.h"

/* The features that minor version @minor of 1 has. Of a later one, all that are known here. */
static uint32_t features_of(uint32_t minor)
{
    static const uint32_t known[] = {0, LAM_PROTOCOL_STREAMING,
        LAM_PROTOCOL_STREAMING | LAM_PROTOCOL_BATCHING,
        LAM_PROTOCOL_STREAMING | LAM_PROTOCOL_BATCHING | LAM_PROTOCOL_PRIORITY_DEGRADATION |
            LAM_PROTOCOL_EVENTS};
    uint32_t last = sizeof(known) / sizeof(known[0]) - 1;

    return known[minor < last ? minor : last];
}

/* Of one pair. Returns 1 and sets *@agreed, or 0. */
static int agree(const struct lam_protocol_version *ours, const struct lam_protocol_version *theirs,
    struct lam_protocol_version *agreed)
{
    if (ours->major != theirs->major)
        return 0;
    agreed->major = ours->major;
    agreed->minor = ours->minor < theirs->minor ? ours->minor : theirs->minor;
    agreed->features = ours->features & theirs->features & features_of(agreed->minor);
    return 1;
}

int lam_protocol_negotiate(const struct lam_protocol_negotiation *ours,
    const struct lam_protocol_negotiation *theirs, struct lam_protocol_version *agreed)
{
    struct lam_protocol_version found;
    int rc = -EPROTONOSUPPORT;

    for (uint32_t i = 0; i < ours->count; i++) {
        for (uint32_t j = 0; j < theirs->count; j++) {
            if (!agree(&ours->versions[i], &theirs->versions[j], &found))
                continue;
            if (rc == 0 && (found.major < agreed->major ||
                               (found.major == agreed->major && found.minor <= agreed->minor)))
                continue;
            *agreed = found;
            rc = 0;
        }
    }
    return rc;
}

unsigned lam_protocol_error_class(enum lam_protocol_error error)
{
    switch (error) {
    case LAM_PROTOCOL_TIMED_OUT:
    case LAM_PROTOCOL_BUFFER_OVERFLOW:
    case LAM_PROTOCOL_OVER_QUOTA:
        return LAM_PROTOCOL_RECOVERABLE;
    case LAM_PROTOCOL_INVALID_MAGIC:
        return LAM_PROTOCOL_CORRUPTION | LAM_PROTOCOL_MISMATCH;
    case LAM_PROTOCOL_CHECKSUM_MISMATCH:
    case LAM_PROTOCOL_INVALID_HEADER:
        return LAM_PROTOCOL_CORRUPTION;
    case LAM_PROTOCOL_UNSUPPORTED_VERSION:
        return LAM_PROTOCOL_MISMATCH;
    default:
        return 0;
    }
}

const char *lam_protocol_error_name(enum lam_protocol_error error)
{
    static const char *const names[] = {"Unknown", "InvalidMagic", "UnsupportedVersion",
        "InvalidMessageType", "PayloadTooLarge", "ChecksumMismatch", "SerializationFailed",
        "BufferOverflow", "InvalidHeader", "InvalidRequestId", "UnknownModule", "UnknownMethod",
        "Timeout", "ConnectionClosed", "QuotaExceeded"};
    uint32_t number = error;

    if (number == LAM_PROTOCOL_NOT_ALLOWED)
        return "NotAllowed";
    if (number == LAM_PROTOCOL_FAILED)
        return "Failed";
    if (number == LAM_PROTOCOL_NO_STREAM)
        return "NoStream";
    if (number == LAM_PROTOCOL_BAD_CHUNK)
        return "BadChunk";
    return names[number < sizeof(names) / sizeof(names[0]) ? number : 0];
}

enum lam_protocol_error lam_protocol_error_of(int rc)
{
    switch (rc) {
    case -EPROTO:
        return LAM_PROTOCOL_INVALID_MAGIC;
    case -EPROTONOSUPPORT:
        return LAM_PROTOCOL_UNSUPPORTED_VERSION;
    case -ENOMSG:
        return LAM_PROTOCOL_INVALID_MESSAGE_TYPE;
    case -EMSGSIZE:
        return LAM_PROTOCOL_PAYLOAD_TOO_LARGE;
    case -ENODATA:
        return LAM_PROTOCOL_INVALID_HEADER;
    default:
        return LAM_PROTOCOL_SERIALIZATION_FAILED;
    }
}
