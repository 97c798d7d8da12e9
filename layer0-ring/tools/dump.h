/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_TOOLS_DUMP_H
#define LAM_RING_TOOLS_DUMP_H

/*
 * dump.h: printing the fields of an object that may be dead, damaged or cut short. Nothing of it is
 * mapped or believed: bytes are read as from any file.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dump {
    int fd;
    uint64_t object_bytes;
    int json;
    int cells;           /* print each event, too */
    uint64_t impossible; /* fields that cannot be, or are not there */
};

/* Read @bytes at @offset; what is behind the object's end is zero. Returns how many there were. */
uint64_t dump_read(const struct dump *dump, uint64_t offset, void *to, uint64_t bytes);

/*
 * Print the field @name of @width bytes at @offset. @wrong: why the value cannot be, or NULL. A
 * field that the object is too short for is said to be missing.
 */
void dump_number(struct dump *dump, uint64_t offset, uint64_t width, const char *name,
    uint64_t value, const char *wrong);
void dump_hex(struct dump *dump, uint64_t offset, uint64_t width, const char *name, uint64_t value,
    const char *wrong);
void dump_text(struct dump *dump, uint64_t offset, uint64_t width, const char *name,
    const char *text, const char *wrong);

/* Print a heading, or what was found out beside the fields. */
__attribute__((format(printf, 2, 3))) void dump_note(
    const struct dump *dump, const char *format, ...);

static inline int dump_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

struct lam_ring_mark;

/* The 40 bytes that both objects begin with. */
void dump_mark(struct dump *dump, const struct lam_ring_mark *mark, uint64_t magic);

/* The objects. */
void dump_data(struct dump *dump);
void dump_control(struct dump *dump);

/* The cells of a data object whose geometry is possible. */
struct lam_ring_data;
void dump_cells(struct dump *dump, const struct lam_ring_data *data);

#endif
