/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"
#include "layout.h"
#include "tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t dump_read(const struct dump *dump, uint64_t offset, void *to, uint64_t bytes)
{
    uint64_t got = 0;

    memset(to, 0, bytes);
    while (got < bytes) {
        ssize_t more = pread(dump->fd, (uint8_t *)to + got, bytes - got, (off_t)(offset + got));

        if (more <= 0)
            break;
        got += (uint64_t)more;
    }
    return got;
}

/* The start of a line, with the value missing where the object has no such byte. */
static int begin(struct dump *dump, uint64_t offset, uint64_t width, const char *name)
{
    int there = offset + width <= dump->object_bytes;

    if (dump->json)
        (void)printf("{\"offset\":%" PRIu64 ",\"field\":\"%s\",\"value\":", offset, name);
    else
        (void)printf("%8" PRIu64 "  %-28s ", offset, name);
    if (!there) {
        dump->impossible++;
        if (dump->json)
            (void)puts("null,\"missing\":true}");
        else
            (void)printf("missing: the object ends at byte %" PRIu64 "\n", dump->object_bytes);
    }
    return there;
}

static void end(struct dump *dump, const char *wrong)
{
    dump->impossible += wrong != NULL;
    if (dump->json) {
        if (wrong != NULL) {
            (void)printf(",\"impossible\":");
            tool_print_json(wrong, strlen(wrong));
        }
        (void)puts("}");
    } else if (wrong != NULL) {
        (void)printf("   IMPOSSIBLE: %s\n", wrong);
    } else {
        (void)putchar('\n');
    }
}

void dump_number(struct dump *dump, uint64_t offset, uint64_t width, const char *name,
    uint64_t value, const char *wrong)
{
    if (!begin(dump, offset, width, name))
        return;
    (void)printf("%" PRIu64, value);
    end(dump, wrong);
}

void dump_hex(struct dump *dump, uint64_t offset, uint64_t width, const char *name, uint64_t value,
    const char *wrong)
{
    if (!begin(dump, offset, width, name))
        return;
    (void)printf(dump->json ? "\"0x%" PRIx64 "\"" : "0x%" PRIx64, value);
    end(dump, wrong);
}

void dump_text(struct dump *dump, uint64_t offset, uint64_t width, const char *name,
    const char *text, const char *wrong)
{
    if (!begin(dump, offset, width, name))
        return;
    if (memchr(text, '\0', width) == NULL)
        wrong = "it does not end";
    if (dump->json) {
        tool_print_json(text, width);
    } else {
        (void)putchar('"');
        tool_print(text, width);
        (void)putchar('"');
    }
    end(dump, wrong);
}

void dump_note(const struct dump *dump, const char *format, ...)
{
    va_list arguments;
    char text[512];

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (dump->json) {
        (void)printf("{\"note\":");
        tool_print_json(text, sizeof(text));
        (void)puts("}");
    } else {
        (void)puts(text);
    }
}

#define MARK(member, wrong)                                                                        \
    dump_number(dump, offsetof(struct lam_ring_mark, member), sizeof(mark->member), #member,       \
        mark->member, wrong)

void dump_mark(struct dump *dump, const struct lam_ring_mark *mark, uint64_t magic)
{
    dump_hex(
        dump, 0, 8, "magic", mark->magic, mark->magic == magic ? NULL : "no ring's, or damaged");
    MARK(version, mark->version == LAM_RING_LAYOUT_VERSION ? NULL : "not the one of this tool");
    dump_hex(dump, offsetof(struct lam_ring_mark, byte_order), 4, "byte_order", mark->byte_order,
        mark->byte_order == LAM_RING_BYTE_ORDER ? NULL : "not this machine's");
    MARK(object_bytes, mark->object_bytes == dump->object_bytes ? NULL : "the object has others");
    dump_hex(dump, offsetof(struct lam_ring_mark, ring_id), 8, "ring_id", mark->ring_id, NULL);
    MARK(page_bytes, dump_is_power_of_two(mark->page_bytes) ? NULL : "no power of two");
    MARK(traits, (mark->traits & ~(LAM_RING_TRAIT_FILE | LAM_RING_TRAIT_HARDENED)) == 0
                     ? NULL
                     : "unknown bits");
}
