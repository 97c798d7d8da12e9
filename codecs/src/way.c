/* SPDX-License-Identifier: Apache-2.0 */
#include "way.h"

#include <inttypes.h>
#include <stdio.h>

static size_t print(const char *root, const struct lam_step *step, char *text)
{
    size_t used;
    int more;

    if (step == NULL) {
        used = 0;
        more = snprintf(text, LAM_WAY_BYTES, "%s", root);
    } else {
        used = print(root, step->before, text);
        more = step->index == LAM_NO_INDEX
                   ? snprintf(text + used, LAM_WAY_BYTES - used, ".%s", step->field->name)
                   : snprintf(text + used, LAM_WAY_BYTES - used, ".%s[%" PRIu32 "]",
                         step->field->name, step->index);
    }
    if (more < 0)
        return used;
    return (size_t)more < LAM_WAY_BYTES - used ? used + (size_t)more : LAM_WAY_BYTES - 1;
}

void lam_way_print(const char *root, const struct lam_step *step, char *text)
{
    (void)print(root, step, text);
}
