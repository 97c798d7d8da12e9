/* SPDX-License-Identifier: Apache-2.0 */
/* A file of two keys, read against a table. Run it with a file, or see what the table says. */
#include "lamina/config/config.h"

#include <inttypes.h>

static const struct lam_config_field fields[] = {
    {.key = "name", .kind = LAM_CONFIG_NAME, .flags = LAM_CONFIG_REQUIRED, .doc = "who is greeted"},
    {.key = "room",
        .kind = LAM_CONFIG_BYTES,
        .fallback = "4KiB",
        .doc = "memory for the greeting",
        .max = 1 << 20},
    {0}};

static const struct lam_config_field hello = {
    .key = "hello", .kind = LAM_CONFIG_RECORD, .fields = fields};

int main(int argc, char **argv)
{
    struct lam_config *config;
    const struct lam_config_node *root;
    int code;

    if (argc < 2) {
        lam_config_explain(&hello, stdout);
        return 0;
    }
    if (lam_config_create(&config, &hello) != 0)
        return 1;
    code = lam_config_read_file(config, argv[1]);
    if (code == 0)
        code = lam_config_check(config);
    if (code == 0) {
        root = lam_config_root(config);
        printf("hello %s, %" PRIu64 " bytes\n", lam_config_text(lam_config_at(root, "name")),
            lam_config_number(lam_config_at(root, "room")));
    } else {
        fputs(lam_config_report(config), stderr);
    }
    lam_config_destroy(config);
    return code == 0 ? 0 : 2;
}
