/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon and a client agree on, by values alone. */
#include "lamina/framed/endpoint.h"

#include <errno.h>
#include <stdio.h>

static int refuse(struct lam_endpoint_refused *refused, enum lam_endpoint_code code,
    enum lam_endpoint_field field, uint64_t found, uint64_t expected_min, uint64_t expected_max,
    const char *what)
{
    *refused = (struct lam_endpoint_refused){.code = code,
        .field = field,
        .found = found,
        .expected_min = expected_min,
        .expected_max = expected_max};
    (void)snprintf(refused->text, sizeof(refused->text), "%s", what);
    return lam_endpoint_refusal_error(code);
}

/* The highest version that both speak. Returns 1, or 0: there is none. */
static int common(uint32_t a_min, uint32_t a_max, uint32_t b_min, uint32_t b_max, uint32_t *chosen)
{
    *chosen = a_max < b_max ? a_max : b_max;
    return *chosen >= a_min && *chosen >= b_min;
}

static int agree_on_language(const struct lam_endpoint_terms *terms,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    if (hello->wire_min > LAM_ENDPOINT_WIRE || hello->wire_max < LAM_ENDPOINT_WIRE)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_WIRE, hello->wire_max,
            LAM_ENDPOINT_WIRE, LAM_ENDPOINT_WIRE, "another library's wire");
    if (!common(hello->version_min, hello->version_max, terms->version_min, terms->version_max,
            &welcome->version))
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_VERSION,
            hello->version_max < terms->version_min ? hello->version_max : hello->version_min,
            terms->version_min, terms->version_max, "no common version");
    if ((hello->features_required & ~terms->features_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_FEATURES_REQUIRED,
            hello->features_required, 0, terms->features_offered,
            "the client requires features that the daemon does not offer");
    if ((terms->features_required & ~hello->features_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_FEATURES_OFFERED,
            hello->features_offered, terms->features_required, UINT64_MAX,
            "the client lacks features that the daemon requires");
    welcome->features = hello->features_offered & terms->features_offered;
    if (hello->type_hash != 0 && terms->type_hash != 0 && hello->type_hash != terms->type_hash)
        return refuse(refused, LAM_ENDPOINT_OTHER_TYPE, LAM_ENDPOINT_FIELD_TYPE_HASH,
            hello->type_hash, terms->type_hash, terms->type_hash, "another type");
    return 0;
}

/* What messages carry, and whether pressure is minded. */
static int agree_on_conduct(const struct lam_endpoint_terms *terms,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    if ((hello->extensions_required & ~terms->extensions_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_EXTENSIONS,
            hello->extensions_required, 0, terms->extensions_offered,
            "the client requires extensions that the daemon does not offer");
    if ((terms->extensions_required & ~hello->extensions_offered) != 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_EXTENSIONS,
            hello->extensions_offered, terms->extensions_required, UINT8_MAX,
            "the client lacks extensions that the daemon requires");
    if ((hello->flags & LAM_ENDPOINT_NEEDS_PRESSURE) != 0 && terms->pressure == 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_PRESSURE, 1, 0, 0,
            "the client requires that pressure is minded, and the daemon ignores it");
    if (terms->pressure_required && hello->pressure == 0)
        return refuse(refused, LAM_ENDPOINT_MISMATCH, LAM_ENDPOINT_FIELD_PRESSURE, 0, 1, 3,
            "the daemon requires that pressure is minded, and the client ignores it");
    welcome->extensions = hello->extensions_offered & terms->extensions_offered;
    welcome->pressure = terms->pressure;
    return 0;
}

static int agree_on_geometry(const struct lam_endpoint_terms *terms,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    if (hello->depth > terms->depth_max || hello->depth == 1)
        return refuse(refused, LAM_ENDPOINT_TOO_LARGE, LAM_ENDPOINT_FIELD_DEPTH, hello->depth, 2,
            terms->depth_max, "another depth");
    if (hello->cell_bytes > terms->cell_bytes_max ||
        (hello->cell_bytes != 0 && hello->cell_bytes < 32))
        return refuse(refused, LAM_ENDPOINT_TOO_LARGE, LAM_ENDPOINT_FIELD_CELL_BYTES,
            hello->cell_bytes, 32, terms->cell_bytes_max, "other cells");
    if (hello->message_bytes_max > terms->message_bytes_max)
        return refuse(refused, LAM_ENDPOINT_TOO_LARGE, LAM_ENDPOINT_FIELD_MESSAGE_BYTES,
            hello->message_bytes_max, 0, terms->message_bytes_max, "messages too large");
    welcome->depth = hello->depth != 0 ? hello->depth : terms->depth;
    welcome->cell_bytes = hello->cell_bytes != 0 ? hello->cell_bytes : terms->cell_bytes;
    welcome->message_bytes_max =
        hello->message_bytes_max != 0 ? hello->message_bytes_max : terms->message_bytes_max;
    welcome->lanes = hello->lanes != 0 ? hello->lanes : terms->lanes;
    return 0;
}

int lam_endpoint_negotiate(const struct lam_endpoint_terms *terms,
    const struct lam_endpoint_hello *hello, struct lam_endpoint_welcome *welcome,
    struct lam_endpoint_refused *refused)
{
    int rc = agree_on_language(terms, hello, welcome, refused);

    if (rc == 0)
        rc = agree_on_conduct(terms, hello, welcome, refused);
    welcome->wire = LAM_ENDPOINT_WIRE;
    return rc != 0 ? rc : agree_on_geometry(terms, hello, welcome, refused);
}

int lam_endpoint_refusal_error(enum lam_endpoint_code code)
{
    switch (code) {
    case LAM_ENDPOINT_OTHER_TYPE:
        return -EPROTOTYPE;
    case LAM_ENDPOINT_TOO_LARGE:
        return -EMSGSIZE;
    case LAM_ENDPOINT_TOO_MANY:
        return -EUSERS;
    case LAM_ENDPOINT_NOT_ALLOWED:
        return -EACCES;
    case LAM_ENDPOINT_NO_MEMORY:
        return -ENOMEM;
    case LAM_ENDPOINT_SHUTTING_DOWN:
        return -EPIPE;
    case LAM_ENDPOINT_MALFORMED:
    case LAM_ENDPOINT_MISMATCH:
        break;
    }
    return -EPROTO;
}
