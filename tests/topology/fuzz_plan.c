/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a topology. One that is accepted is dumped, and what was dumped is
 * accepted again and says the same.
 *
 *     build/fuzz/tests/fuzz_plan -max_len=8192 CORPUS
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/topology/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dump(const struct lam_plan *plan, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);

    if (out == NULL || lam_plan_dump(plan, out) != 0 || fclose(out) != 0)
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lam_machine machine;
    struct lam_plan *plan;
    char *first, *second;
    size_t bytes;
    char *report;

    lam_machine_any(&machine);
    if (lam_plan_read_text(&plan, "f", (const char *)data, size, &machine, &report) != 0) {
        if (report == NULL || report[0] == '\0')
            abort();
        free(report);
        return 0;
    }
    first = dump(plan, &bytes);
    lam_plan_destroy(plan);
    if (bytes <= 65536) {
        if (lam_plan_read_text(&plan, "g", first, bytes, &machine, &report) != 0)
            abort();
        second = dump(plan, &bytes);
        if (strcmp(first, second) != 0)
            abort();
        free(second);
        lam_plan_destroy(plan);
    }
    free(first);
    return 0;
}
