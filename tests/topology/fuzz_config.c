/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a configuration file. They are read or refused, the report can be
 * shown on a terminal, and what is refused has at least one problem.
 *
 *     build/fuzz/tests/fuzz_config -max_len=65536 CORPUS
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"auto", "never", NULL};
static const struct lam_config_field item = {.key = "item", .kind = LAM_CONFIG_TEXT, .max = 16};
static const struct lam_config_field deep_fields[] = {
    {.key = "d", .kind = LAM_CONFIG_DURATION, .fallback = "1s"},
    {.key = "b", .kind = LAM_CONFIG_BYTES, .flags = LAM_CONFIG_POWER_OF_TWO, .max = 1 << 20},
    {.key = "f", .kind = LAM_CONFIG_FLAG}, {0}};
static const struct lam_config_field deep = {
    .key = "deep", .kind = LAM_CONFIG_RECORD, .fields = deep_fields};
static const struct lam_config_field fields[] = {
    {.key = "n", .kind = LAM_CONFIG_NUMBER, .words = words, .fallback = "auto", .min = 1},
    {.key = "w", .kind = LAM_CONFIG_WORD, .words = words},
    {.key = "l", .kind = LAM_CONFIG_LIST, .fields = &item, .max = 4},
    {.key = "m", .kind = LAM_CONFIG_MAP, .fields = &deep, .fallback = ""},
    {.key = "name", .kind = LAM_CONFIG_NAME, .doc = "required", .flags = LAM_CONFIG_REQUIRED}, {0}};
static const struct lam_config_field root = {
    .key = "root", .kind = LAM_CONFIG_RECORD, .fields = fields};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lam_config *config;
    int code;

    if (lam_config_create(&config, &root) != 0)
        return 0;
    code = lam_config_read_text(config, "f", (const char *)data, size);
    if (code == 0)
        (void)lam_config_override(config, "m.a.b", "4KiB", "--set m.a.b=4KiB");
    if (code == 0)
        code = lam_config_check(config);
    if ((code != 0) != (lam_config_problem_count(config) > 0))
        abort();
    for (const char *at = lam_config_report(config); *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\n') || *at == 0x7f)
            abort();
    lam_config_destroy(config);
    return 0;
}
