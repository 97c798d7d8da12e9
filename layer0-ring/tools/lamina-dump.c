/* SPDX-License-Identifier: Apache-2.0 */
/* lamina dump: every field of an object, also of one that is dead, damaged or cut short. */
#include "dump.h"
#include "layout.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: lamina dump SEGMENT [--cells] [--json]\n"
    "\n"
    "Prints each field of a data or control object with its offset, its name and its value, marks\n"
    "what cannot be, says who holds locks, and walks the events from the horizon to the head.\n"
    "Reads the object as a file and believes nothing of it: it may be dead, damaged or cut short.\n"
    "SEGMENT is a path, as /dev/shm/lamina.NAME.data or .control.\n"
    "\n"
    "  --cells   print each event, too\n"
    "  --json    one JSON object a line\n"
    "\n"
    "exit: 0, 1 the output cannot be written, 2 wrong command line, 3 no such file,\n"
    "4 something in it cannot be\n";

static int open_segment(struct dump *dump, const char *path)
{
    struct stat status;

    /* Without waiting for whoever may come, should it be a pipe. */
    dump->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (dump->fd < 0 || fstat(dump->fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    dump->object_bytes = (uint64_t)status.st_size;
    return 0;
}

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* By its magic, or where that is damaged by its name. */
static int dump_object(struct dump *dump, const char *path)
{
    uint64_t magic;

    (void)dump_read(dump, 0, &magic, sizeof(magic));
    if (magic == LAM_RING_DATA_MAGIC ||
        (magic != LAM_RING_CONTROL_MAGIC && ends_with(path, ".data"))) {
        dump_data(dump);
    } else if (magic == LAM_RING_CONTROL_MAGIC || ends_with(path, ".control")) {
        dump_control(dump);
    } else {
        (void)fprintf(stderr,
            "lamina dump: %s: %llu bytes that begin with 0x%llx: no object of a ring, by its magic "
            "or its name\n",
            path, (unsigned long long)dump->object_bytes, (unsigned long long)magic);
        return TOOL_DAMAGED;
    }
    if (dump->impossible != 0)
        dump_note(dump, "%llu findings that cannot be", (unsigned long long)dump->impossible);
    return dump->impossible == 0 ? 0 : TOOL_DAMAGED;
}

int main(int argc, char **argv)
{
    struct dump dump = {.fd = -1};
    const char *path;
    const struct tool_option options[] = {
        {"--cells", &dump.cells, NULL}, {"--json", &dump.json, NULL}, {NULL, NULL, NULL}};
    int code;

    tool_read("lamina dump", help, options, argc, argv, &path);
    if (path == NULL)
        tool_refuse("no segment was given");
    code = open_segment(&dump, path);
    if (code != 0) {
        (void)fprintf(
            stderr, "lamina dump: %s: %s\n", path, code == -EINVAL ? "no file" : strerror(-code));
        return TOOL_NOT_THERE;
    }
    code = dump_object(&dump, path);
    if (tool_flush() != 0)
        code = 0; /* who reads no longer wants no verdict */
    (void)close(dump.fd);
    return tool_exit_code(code);
}
