/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon welcomes a client to is what was asked for: else it is no daemon of this wire. */
#include "client_internal.h"

#include <errno.h>

/* A number that the daemon chose, and what was asked for. */
struct choice {
    enum lam_endpoint_field field;
    uint64_t found, min, max;
};

/* A set: what is required is in it, and nothing that was not offered. */
static int check_set(enum lam_endpoint_field field, uint64_t found, uint64_t required,
    uint64_t offered, struct lam_error *error)
{
    if ((found & ~offered) == 0 && (required & ~found) == 0)
        return 0;
    return lam_error_set(error, -EPROTO,
        "the daemon chose %s 0x%llx: 0x%llx are required and 0x%llx offered",
        lam_endpoint_field_name(field), (unsigned long long)found, (unsigned long long)required,
        (unsigned long long)offered);
}

static int check_numbers(const struct lam_endpoint_hello *hello,
    const struct lam_endpoint_welcome *welcome, struct lam_error *error)
{
    const struct choice choices[] = {
        {LAM_ENDPOINT_FIELD_VERSION, welcome->version, hello->version_min, hello->version_max},
        {LAM_ENDPOINT_FIELD_LANES, welcome->lanes, hello->lanes, hello->lanes},
        {LAM_ENDPOINT_FIELD_DEPTH, welcome->depth, hello->depth,
            hello->depth != 0 ? hello->depth : UINT64_MAX},
        {LAM_ENDPOINT_FIELD_CELL_BYTES, welcome->cell_bytes, hello->cell_bytes,
            hello->cell_bytes != 0 ? hello->cell_bytes : UINT32_MAX},
        {LAM_ENDPOINT_FIELD_MESSAGE_BYTES, welcome->message_bytes_max, hello->message_bytes_max,
            hello->message_bytes_max != 0 ? hello->message_bytes_max
                                          : LAM_FRAMED_MESSAGE_BYTES_MAX},
        {LAM_ENDPOINT_FIELD_PRESSURE, welcome->pressure,
            (hello->flags & LAM_ENDPOINT_NEEDS_PRESSURE) != 0, LAM_PRESSURE_DEGRADE},
    };

    for (uint32_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
        if (choices[i].found < choices[i].min || choices[i].found > choices[i].max)
            return lam_error_set(error, -EPROTO,
                "the daemon chose %s 0x%llx: 0x%llx to 0x%llx was asked for",
                lam_endpoint_field_name(choices[i].field), (unsigned long long)choices[i].found,
                (unsigned long long)choices[i].min, (unsigned long long)choices[i].max);
    return 0;
}

int lam_client_check_welcome(const struct lam_client *client, struct lam_error *error)
{
    const struct lam_endpoint_hello *hello = &client->hello;
    const struct lam_endpoint_welcome *welcome = &client->welcome;
    int rc = check_numbers(hello, welcome, error);

    if (rc == 0)
        rc = check_set(LAM_ENDPOINT_FIELD_EXTENSIONS, welcome->extensions,
            hello->extensions_required, hello->extensions_offered, error);
    if (rc == 0)
        rc = check_set(LAM_ENDPOINT_FIELD_FEATURES_OFFERED, welcome->features,
            hello->features_required, hello->features_offered, error);
    return rc;
}
