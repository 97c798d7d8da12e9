/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/identity.h"
#include "small_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t boot_now(void)
{
    char text[64];
    uint64_t boot = 0;

    lam_small_file_read("/proc/sys/kernel/random/boot_id", text, sizeof(text));
    for (const char *c = text; *c != '\0' && *c != '\n'; c++) {
        char digit[2] = {*c, '\0'};

        if (*c != '-' && boot >> 60 == 0)
            boot = boot << 4 | strtoul(digit, NULL, 16);
    }
    return boot;
}

/* Field 22 of /proc/PID/stat; the name in field 2 may hold blanks, so count from its ')'. */
static uint64_t start_ticks_of(uint32_t pid)
{
    char text[1024], path[32];
    char *field;

    (void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    lam_small_file_read(path, text, sizeof(text));
    field = strrchr(text, ')');
    for (int number = 2; field != NULL && number < 22; number++)
        field = strchr(field + 1, ' ');
    return field == NULL ? 0 : strtoull(field + 1, NULL, 10);
}

struct lam_identity lam_identity_of(uint32_t pid)
{
    struct lam_identity identity = {
        .boot = boot_now(), .start_ticks = start_ticks_of(pid), .pid = pid};
    struct stat space;
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
    if (stat(path, &space) == 0)
        identity.pid_space = (uint32_t)space.st_ino;
    return identity;
}

struct lam_identity lam_identity_self(void)
{
    return lam_identity_of((uint32_t)getpid());
}
