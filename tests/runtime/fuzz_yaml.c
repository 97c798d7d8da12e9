/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as runtime.yaml. They are read into option structs or refused with a
 * report; nothing is loaded.
 *
 *     build/fuzz/tests/fuzz_runtime_yaml -max_len=65536 CORPUS
 */
#include <stdint.h>
#include <stdlib.h>

#include "lamina/runtime/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lam_runtime_config *config;
    char *report;
    int rc = lam_runtime_config_read_text(&config, "f", (const char *)data, size, &report);

    if (rc != 0) {
        if (report == NULL || report[0] == '\0')
            abort();
        free(report);
        return 0;
    }
    for (uint32_t i = 0; i < lam_runtime_config_count(config); i++) {
        const struct lam_runtime_wanted *wanted = lam_runtime_config_module(config, i);

        if (wanted->reference == NULL || wanted->options.name == NULL)
            abort();
    }
    lam_runtime_config_destroy(config);
    return 0;
}
