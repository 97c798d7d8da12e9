/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/output.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

#define PIECES_MIN 16

int output_create(struct lam_app_output *output, const struct lam_app *app)
{
    memset(output, 0, sizeof(*output));
    output->reply_max = app->reply_bytes_max;
    output->publish_max = app->publish_bytes_max;
    output->reply = malloc((size_t)app->reply_bytes_max + 1);
    output->published = malloc((size_t)app->publish_bytes_max + 1);
    output->ends = malloc(PIECES_MIN * sizeof(*output->ends));
    output->pieces_capacity = PIECES_MIN;
    return output->reply == NULL || output->published == NULL || output->ends == NULL ? -ENOMEM : 0;
}

void output_destroy(struct lam_app_output *output)
{
    free(output->reply);
    free(output->published);
    free(output->ends);
}

void output_begin(struct lam_app_output *output, enum output_mode mode)
{
    output->mode = mode;
    output->reply_count = 0;
    output->published_count = 0;
    output->published_bytes = 0;
    output->pieces = 0;
    output->refusal_count = 0;
    output->error = 0;
}

void output_refuse(struct lam_app_output *output, uint32_t code, const char *text)
{
    size_t count = text != NULL ? strnlen(text, REFUSAL_TEXT_BYTES) : 0;

    code = htole32(code);
    memcpy(output->refusal, &code, sizeof(code));
    if (count != 0)
        memcpy(output->refusal + sizeof(code), text, count);
    output->refusal_count = (uint32_t)(sizeof(code) + count);
    output->reply_count = 0;
    output->published_count = 0;
    output->published_bytes = 0;
    output->pieces = 0;
}

int lam_app_reply(struct lam_app_output *output, const void *bytes, size_t count)
{
    LAM_ASSERT(output->mode != OUTPUT_NOBODY);
    if (count > output->reply_max - output->reply_count)
        return -EMSGSIZE;
    if (count == 0 || output->refusal_count != 0)
        return 0;
    memcpy(output->reply + output->reply_count, bytes, count);
    output->reply_count += (uint32_t)count;
    return 0;
}

void lam_app_refuse(struct lam_app_output *output, uint32_t code, const char *text)
{
    uint32_t most = UINT32_MAX - REFUSED_APP;

    if (output->refusal_count == 0)
        output_refuse(output, REFUSED_APP + (code < most ? code : most), text);
}

int lam_app_publish(struct lam_app_output *output, const void *bytes, size_t count)
{
    size_t charge = count != 0 ? count : 1;

    LAM_ASSERT(output->mode != OUTPUT_QUERY);
    if (charge > output->publish_max - output->published_count)
        return -EMSGSIZE;
    if (output->refusal_count != 0 || output->error != 0)
        return 0;
    if (output->pieces == output->pieces_capacity) {
        size_t capacity = 2 * (size_t)output->pieces_capacity;
        uint32_t *grown = realloc(output->ends, capacity * sizeof(*grown));

        if (grown == NULL) {
            output->error = -ENOMEM;
            return 0;
        }
        output->ends = grown;
        output->pieces_capacity = (uint32_t)capacity;
    }
    if (count != 0)
        memcpy(output->published + output->published_bytes, bytes, count);
    output->published_count += (uint32_t)charge;
    output->published_bytes += (uint32_t)count;
    output->ends[output->pieces++] = output->published_bytes;
    return 0;
}
