/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memlink_module.c: a module of memlink's C interface, written as one is that knows nothing of
 * Lamina: no header of ours. Built whole, and without each of what a host looks for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a-32 of the names, as memlink's document gives them and as its rule does. */
#define ECHO      0xd49dd484u
#define INCREMENT 0x3812e73eu
#define ADD       0x3b391274u
#define PROCESS   0x9ce94d7au

int memlink_init(const unsigned char *config, unsigned long config_len);
int memlink_call(
    unsigned method_id, const unsigned char *args, unsigned long args_len, unsigned char *output);
int memlink_shutdown(void);
unsigned long memlink_get_state_size(void);
int memlink_serialize_state(unsigned char *buf, unsigned long size);
int memlink_deserialize_state(const unsigned char *data, unsigned long len);

static unsigned char config_first;
static unsigned count, inits;

#ifndef NO_INIT
int memlink_init(const unsigned char *config, unsigned long config_len)
{
    config_first = config_len > 0 ? config[0] : 0;
    inits++;
    return config_len == 3 && memcmp(config, "bad", 3) == 0 ? -2 : 0;
}
#endif

#ifndef NO_CALL
/* By its first byte: how it ends badly. */
static int end_badly(const unsigned char *args, unsigned char *output)
{
    switch (args[0]) {
    case 'f':
        *(volatile char *)(size_t)args[1] = 1;
        return 0;
    case 'a':
        abort();
    case 'x':
        _exit(9);
    case 'l':
        for (;;)
            (void)pause();
    case 'o': /* one byte behind all that there is */
        ((volatile unsigned char *)output)[4096] = 1;
        return 0;
    case 'u': /* one before */
        ((volatile unsigned char *)output)[-1] = 1;
        return 0;
    default:
        return (signed char)args[1];
    }
}

int memlink_call(
    unsigned method_id, const unsigned char *args, unsigned long args_len, unsigned char *output)
{
    switch (method_id) {
    case ECHO: /* unchecked, as all of theirs are */
        memcpy(output, args, args_len);
        return 0;
    case INCREMENT:
        count++;
        memcpy(output, &count, sizeof(count));
        return 0;
    case ADD:
        output[0] = (unsigned char)(args[0] + args[1]);
        return 0;
    case PROCESS:
        return end_badly(args, output);
    default: /* any other: says which, and with what it was begun */
        memcpy(output, &method_id, sizeof(method_id));
        output[4] = config_first;
        output[5] = (unsigned char)inits;
        return 0;
    }
}
#endif

#ifndef NO_SHUTDOWN
int memlink_shutdown(void)
{
    return write(2, "memlink_shutdown\n", 17) == 17 ? 77 : 78; /* a host does not look at it */
}
#endif

#ifndef NO_STATE
#ifndef STATE_BYTES /* more than a host's first guess */
#define STATE_BYTES (sizeof(count) + 5000)
#endif

unsigned long memlink_get_state_size(void)
{
    return STATE_BYTES;
}

int memlink_serialize_state(unsigned char *buf, unsigned long size)
{
    if (size != sizeof(count) + 5000)
        return -2;
    memset(buf, 7, size);
    memcpy(buf, &count, sizeof(count));
    return 0;
}

int memlink_deserialize_state(const unsigned char *data, unsigned long len)
{
    if (len != sizeof(count) + 5000 || data[len - 1] != 7)
        return -2;
    memcpy(&count, data, sizeof(count));
    return 0;
}
#endif
