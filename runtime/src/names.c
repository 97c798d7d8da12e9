/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

#include "lamina/base/assert.h"
#include "lamina/runtime/abi.h"

LAM_STATIC_ASSERT(LAM_NAME_BYTES_MAX == 64, "the sentence below says how long a name may be");

/* ASCII's, and those that UTF-8 writes in two bytes, which some terminals obey, too. */
static int has_control(const char *name)
{
    const unsigned char *at = (const unsigned char *)name;

    for (; *at != '\0'; at++)
        if (*at < ' ' || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            return 1;
    return 0;
}

const char *lam_method_name_fault(const char *name)
{
    size_t length = name == NULL ? 0 : strnlen(name, LAM_NAME_BYTES_MAX);

    if (length == 0 || length == LAM_NAME_BYTES_MAX)
        return "has to be of 1 to 63 bytes";
    return has_control(name) ? "has a control byte, as a line's end or an escape: take it out"
                             : NULL;
}

const char *lam_module_name_fault(const char *name)
{
    const char *fault = lam_method_name_fault(name);

    if (fault == NULL && strchr(name, '/') != NULL)
        return "has a slash, and a reference with one is a path: take it out";
    return fault;
}
