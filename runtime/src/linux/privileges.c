/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/confine.h"

int confine_privileges(const struct sandbox_wish *wish, struct lam_sandbox_state *state)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};

    (void)wish;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return confine_fail(state, "PR_SET_NO_NEW_PRIVS", errno);
    if (syscall(SYS_capset, &header, none) != 0)
        return confine_fail(state, "capset", errno);
    return 0;
}
