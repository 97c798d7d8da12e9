/* SPDX-License-Identifier: Apache-2.0 */
#include "shortage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

int lam_endpoint_is_shortage(int code)
{
    return code == -EMFILE || code == -ENFILE;
}

void lam_endpoint_say_shortage(int code, const char *who, char *text, size_t text_bytes)
{
    struct rlimit limit = {.rlim_cur = 0};

    if (code == -ENFILE) {
        (void)snprintf(text, text_bytes,
            "the machine of %s has no file descriptors left (ENFILE): end what has them open, or "
            "raise /proc/sys/fs/file-max",
            who);
        return;
    }
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    (void)snprintf(text, text_bytes,
        "%s may have %llu file descriptors, and none is left: close some, or raise its "
        "RLIMIT_NOFILE (ulimit -n)",
        who, (unsigned long long)limit.rlim_cur);
}
