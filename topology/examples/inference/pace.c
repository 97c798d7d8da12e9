/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pace_init(struct pace *pace, const char *speed, struct lam_error *error)
{
    char *end;

    memset(pace, 0, sizeof(*pace));
    if (strcmp(speed, "max") == 0)
        return 0;
    if (strcmp(speed, "recorded") == 0) {
        pace->factor = 1.0;
        return 0;
    }
    /* Digits and one point, so that strtod() sees no infinity, exponent or hexadecimal. */
    if (strspn(speed, "0123456789.") == strlen(speed)) {
        pace->factor = strtod(speed, &end);
        if (*speed != '\0' && *end == '\0' && pace->factor >= 0.001 && pace->factor <= 1e6)
            return 0;
    }
    return lam_error_set(error, -EINVAL,
        "speed is \"%s\"; it can be max, recorded, or a factor from 0.001 to 1000000", speed);
}

uint64_t pace_due_ns(struct pace *pace, uint64_t arrival_ns, uint64_t now_ns)
{
    if (pace->factor == 0.0)
        return now_ns;
    if (!pace->started) {
        pace->started = 1;
        pace->start_ns = now_ns;
        pace->first_arrival_ns = arrival_ns;
    }
    return pace->start_ns +
           (uint64_t)((double)(arrival_ns - pace->first_arrival_ns) / pace->factor);
}
