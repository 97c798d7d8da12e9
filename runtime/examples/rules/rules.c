/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: a rule is replaced in production by replacing its file. The folder is watched; calls go on
 * meanwhile, and none fails.
 *
 *     rules_runtime FIRST.so SECOND.so
 */
#include <stdio.h>
#include <stdlib.h>

#include "lamina/runtime/discover.h"

/* As one puts a file in place: under another name first, then by rename. */
static int put_in_place(const char *from, const char *folder)
{
    char command[3 * 4096];

    (void)snprintf(command, sizeof(command), "cp '%s' '%s/.new' && mv '%s/.new' '%s/rule.so'", from,
        folder, folder, folder);
    return system(command); /* NOLINT(cert-env33-c): two lines of a shell are clearer here */
}

/* Sell until a thing of 100.00 costs @cents. Returns how many calls failed. */
static unsigned sell_until(struct lam_module *rule, uint64_t cents)
{
    uint64_t price = 0, full = 10000;
    unsigned failed = 0;

    while (price != cents) {
        struct lam_module_reply reply = {.data = &price, .capacity = sizeof(price)};

        failed += lam_module_call(rule, LAM_METHOD_ID("price"), &full, sizeof(full), &reply,
                      LAM_DEADLINE_NEVER) != 0;
    }
    (void)printf("100.00 costs %llu.%02llu\n", (unsigned long long)price / 100,
        (unsigned long long)price % 100);
    return failed;
}

static int run(
    struct lam_runtime *runtime, const char *folder, char **files, struct lam_error *error)
{
    struct lam_discover_options options = {.directories = folder, .loads = 1, .reloads = 1};
    struct lam_discovery *discovery;
    struct lam_module *rule;
    unsigned failed;
    int rc = put_in_place(files[1], folder);

    if (rc == 0)
        rc = lam_discover_start(runtime, &options, &discovery, error);
    if (rc != 0)
        return rc;
    rule = lam_runtime_find(runtime, "rule"); /* what is there is loaded when it begins */
    if (rule == NULL)
        return lam_error_set(error, -1, "%s is no module", files[1]);
    failed = sell_until(rule, 9000);
    rc = put_in_place(files[2], folder);
    if (rc == 0)
        failed += sell_until(rule, 8000);
    (void)printf("%u calls failed\n", failed);
    return rc != 0 ? rc : (int)failed;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/lamina-rules-XXXXXX", command[64];
    struct lam_error error = {""};
    struct lam_runtime *runtime = NULL;
    int rc;

    if (argc != 3 || mkdtemp(folder) == NULL)
        return fprintf(stderr, "usage: rules_runtime FIRST.so SECOND.so\n") != 0;
    rc = lam_runtime_create(&runtime, NULL, &error);
    if (rc == 0)
        rc = run(runtime, folder, argv, &error);
    lam_runtime_destroy(runtime);
    (void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
    if (system(command) != 0 || rc != 0) /* NOLINT(cert-env33-c) */
        fprintf(stderr, "rules: %s\n", error.text);
    return rc != 0;
}
