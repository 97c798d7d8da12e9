/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/model.h"

#include <string.h>

void model_begin(struct model *model)
{
    memset(model, 0, sizeof(*model));
    model->values[MODEL_STARTUP_KEY] = (int64_t)MODEL_STARTUPS * MODEL_STARTUP_EACH;
    model->count = MODEL_STARTUPS;
}

void model_tick(struct model *model)
{
    model->values[MODEL_TICKS]++;
}

struct model_result model_apply(struct model *model, const struct model_op *op)
{
    int64_t *value = &model->values[op->key % MODEL_KEYS];
    struct model_result result = {.id = op->id, .is_done = 1};

    if (op->verb == MODEL_TAKE && *value < op->a) {
        result.refused = MODEL_TOO_LITTLE;
        return result;
    }
    if (op->verb == MODEL_ADD)
        *value += op->a;
    if (op->verb == MODEL_SET)
        *value = op->a;
    if (op->verb == MODEL_SWAP) {
        result.is_done = *value == op->b;
        if (result.is_done)
            *value = op->a;
    }
    if (op->verb == MODEL_TAKE)
        *value -= op->a;
    result.count = ++model->count;
    result.value = *value;
    return result;
}

struct model_result model_get(const struct model *model, const struct model_op *op)
{
    return (struct model_result){.id = op->id,
        .count = model->count,
        .value = model->values[op->key % MODEL_KEYS],
        .is_done = 1};
}
