/* SPDX-License-Identifier: Apache-2.0 */
/* Words for people: what a number that an endpoint says stands for. */
#include "lamina/framed/endpoint.h"

#include <errno.h>

const char *lam_endpoint_field_name(enum lam_endpoint_field field)
{
    static const char *const names[] = {[LAM_ENDPOINT_FIELD_NONE] = "none",
        [LAM_ENDPOINT_FIELD_BYTES] = "bytes",
        [LAM_ENDPOINT_FIELD_MAGIC] = "magic",
        [LAM_ENDPOINT_FIELD_TYPE] = "type",
        [LAM_ENDPOINT_FIELD_WIRE] = "wire",
        [LAM_ENDPOINT_FIELD_VERSION] = "version",
        [LAM_ENDPOINT_FIELD_FEATURES_REQUIRED] = "features_required",
        [LAM_ENDPOINT_FIELD_FEATURES_OFFERED] = "features_offered",
        [LAM_ENDPOINT_FIELD_TYPE_HASH] = "type_hash",
        [LAM_ENDPOINT_FIELD_DEPTH] = "depth",
        [LAM_ENDPOINT_FIELD_MESSAGE_BYTES] = "message_bytes_max",
        [LAM_ENDPOINT_FIELD_CELL_BYTES] = "cell_bytes",
        [LAM_ENDPOINT_FIELD_LANES] = "lanes",
        [LAM_ENDPOINT_FIELD_FLAGS] = "flags",
        [LAM_ENDPOINT_FIELD_NAME] = "name",
        [LAM_ENDPOINT_FIELD_CLIENT_ID] = "client_id",
        [LAM_ENDPOINT_FIELD_EXTENSIONS] = "extensions",
        [LAM_ENDPOINT_FIELD_PRESSURE] = "pressure"};

    return (unsigned)field < sizeof(names) / sizeof(names[0]) ? names[field] : "unknown";
}

const char *lam_framed_error_name(int rc, int is_try)
{
    switch (rc) {
    case 0:
        return is_try ? "full" : "ok";
    case -EPIPE:
    case -ENOTCONN:
        return "disconnected";
    case -EOWNERDEAD:
        return "died";
    case -ETIMEDOUT:
        return "timeout";
    case -EMSGSIZE:
        return "too large";
    case -EPROTO:
        return "protocol mismatch";
    case -EPROTOTYPE:
        return "other type";
    case -ENOTRECOVERABLE:
        return "poisoned";
    case -ESTALE:
        return "evicted";
    case -ECANCELED:
        return "cancelled";
    case -EUSERS:
        return "too many";
    case -EACCES:
        return "not allowed";
    default:
        return rc > 0 ? "ok" : "error";
    }
}
