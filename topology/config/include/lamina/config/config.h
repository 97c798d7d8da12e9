/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CONFIG_CONFIG_H
#define LAM_CONFIG_CONFIG_H

/*
 * lamina/config/config.h: strict YAML, read against tables, with errors that point.
 *
 * Config, floor 1. The caller describes its file by tables of fields (name, kind, range, default,
 * sentence of documentation); the reader refuses whatever the tables do not name. It knows nothing
 * of any particular file: topology, runtime and sequencer bring their own tables. It never expands
 * anything, reads no environment, includes no other file and follows no alias.
 *
 * What YAML itself may not do here: anchors, aliases, tags, merge keys, keys that are not plain
 * words, a key given twice, a second document. Limits: LAM_CONFIG_FILE_BYTES_MAX,
 * LAM_CONFIG_DEPTH_MAX, LAM_CONFIG_EVENTS_MAX. JSON is read too, being YAML.
 *
 * Order of life: create, read_file or read_text, override for each setting of a command line,
 * check, then the accessors, and problem() for what no table can say; destroy. Problems are
 * collected, up to LAM_CONFIG_PROBLEMS_MAX, and lam_config_report() is what to print.
 *
 * One thread at a time. All nodes and text belong to the config and live until it is destroyed.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_CONFIG_FILE_BYTES_MAX 65536
#define LAM_CONFIG_DEPTH_MAX      16
#define LAM_CONFIG_EVENTS_MAX     20000
#define LAM_CONFIG_PROBLEMS_MAX   20
#define LAM_CONFIG_NAME_MAX       31 /* characters of a LAM_CONFIG_NAME */

enum lam_config_kind {
    LAM_CONFIG_TEXT,     /* any text; `max` bounds its bytes */
    LAM_CONFIG_NAME,     /* a letter, then letters, digits, - and _; at most 31 */
    LAM_CONFIG_NUMBER,   /* decimal digits; from `min` to `max` */
    LAM_CONFIG_BYTES,    /* a number with B, KiB, MiB or GiB, or of bytes; min, max in bytes */
    LAM_CONFIG_DURATION, /* a number with ns, us, ms, s or min; min, max in ns */
    LAM_CONFIG_FLAG,     /* true or false */
    LAM_CONFIG_WORD,     /* one of `words` */
    LAM_CONFIG_LIST,     /* of `fields[0]`; `min` to `max` items */
    LAM_CONFIG_RECORD,   /* the keys in `fields` */
    LAM_CONFIG_MAP       /* of `fields[0]`, each under a NAME of the user's; `min` to `max` */
};

#define LAM_CONFIG_REQUIRED     1u       /* there is no default: the file must say it */
#define LAM_CONFIG_POWER_OF_TWO 2u       /* NUMBER and BYTES */
#define LAM_CONFIG_CALLERS      0x10000u /* from this bit on flags are the caller's own */

/*
 * One row of a table. A table ends with a row whose key is NULL; tables are static data of the
 * caller's and must outlive the config. A `max` of 0 is no bound.
 */
struct lam_config_field {
    const char *key;
    enum lam_config_kind kind;
    uint32_t flags;
    const char *fallback; /* value of a missing key, as one would write it; NULL: stays missing */
    const char *doc;      /* one sentence, for --explain and for the message of a missing key */
    uint64_t min;
    uint64_t max;
    const char *const *words; /* WORD; also NUMBER, BYTES, DURATION: words allowed in its place */
    const struct lam_config_field *fields;
    /* The caller's own: for one that fills its structs from the tree, the field of a row. */
    uint32_t offset;
    uint32_t bytes;
};

struct lam_config;      /* opaque: one file, its overrides, its problems */
struct lam_config_node; /* opaque: one value */

/*
 * Make an empty config for the table row @root, which is a RECORD.
 *
 * Returns 0 and sets *@config, or -ENOMEM.
 */
int lam_config_create(struct lam_config **config, const struct lam_config_field *root);

/* Free the config and all its nodes. NULL is allowed. */
void lam_config_destroy(struct lam_config *config);

/*
 * Read the file at @path, or @bytes of @text that is called @name in messages. Once per config;
 * everything is copied.
 *
 * Takes time in proportion to the limits above whatever the bytes are. Returns 0, or (the report
 * says what and where)
 *   -EINVAL  not YAML, or of what is refused here
 *   -EFBIG   larger than LAM_CONFIG_FILE_BYTES_MAX
 *   -ENOMEM, or what open() and read() return
 */
int lam_config_read_file(struct lam_config *config, const char *path);
int lam_config_read_text(
    struct lam_config *config, const char *name, const char *text, size_t bytes);

/*
 * Put @value where @path ("roles.workers.count") says, in place of what the file says. @origin is
 * how messages call it ("--set workers.count=4"). A scalar is taken as it stands; a list is
 * written a,b,c or [a,b,c]. Entries of a MAP cannot be added this way, only changed.
 *
 * Before lam_config_check(). Returns 0, or
 *   -ENOENT  the tables or the file have no such place (a problem is noted)
 *   -EINVAL  @path names a record or a map (a problem is noted)
 *   -ENOMEM
 */
int lam_config_override(
    struct lam_config *config, const char *path, const char *value, const char *origin);

/*
 * The same from one argument of a command line, "PATH=VALUE", as lam_config_override() with the
 * origin "--set PATH=VALUE". What is not written so is noted as a problem that tells @form
 * ("KEY=VALUE"). Before lam_config_check().
 */
void lam_config_set(struct lam_config *config, const char *setting, const char *form);

/*
 * The folder of the file called @name, absolute, so that it holds wherever the process goes; that
 * of the process where @name is none. The caller's to free. NULL: no memory, or no such folder.
 */
char *lam_config_folder(const char *name);

/*
 * Hold all that was read against the tables: unknown and missing keys, kinds, ranges; fill in
 * defaults.
 *
 * Returns 0, or -EINVAL (there are problems) or -ENOMEM.
 */
int lam_config_check(struct lam_config *config);

/* How the file is called in messages: its path. "" before reading. */
const char *lam_config_file_name(const struct lam_config *config);

/* The top of the tree. After reading. */
struct lam_config_node *lam_config_root(struct lam_config *config);

/* What stands at @path ("roles.workers"), NULL where nothing does. After reading; defaults stand
 * there once checked. */
struct lam_config_node *lam_config_find(struct lam_config *config, const char *path);

/* The value of @key in the record or map @node; NULL where it is missing and has no default. A key
 * that a record's table does not name is a programmer's error. */
struct lam_config_node *lam_config_at(const struct lam_config_node *node, const char *key);

/* Children of a list, record or map, in the order of the file. */
struct lam_config_node *lam_config_first(const struct lam_config_node *node);
struct lam_config_node *lam_config_next(const struct lam_config_node *node);
uint32_t lam_config_length(const struct lam_config_node *node);

/* The key under which @node stands; NULL for items of a list and for the root. */
const char *lam_config_key(const struct lam_config_node *node);

/* The scalar as it was written; a default as its table has it. */
const char *lam_config_text(const struct lam_config_node *node);

/* Value of a NUMBER; of BYTES in bytes, of a DURATION in ns; 1 or 0 of a FLAG. After check. */
uint64_t lam_config_number(const struct lam_config_node *node);

/* Index in `words` of a WORD, or of a word in a number's place; -1: it is none. After check. */
int lam_config_word(const struct lam_config_node *node);

/* What set this value: NULL for the file or a default, else the @origin of its override. */
const char *lam_config_origin(const struct lam_config_node *node);

/* 1 where the file says it, 0 for a default or an override. */
int lam_config_in_file(const struct lam_config_node *node);

/* Where @node begins in the file, from 1; 0 and 0 for what does not stand there. */
void lam_config_place(const struct lam_config_node *node, uint32_t *line, uint32_t *column);

/*
 * Note a problem of @node that no table can express, at its place in the file; NULL: of no place.
 *
 * Returns -EINVAL, always.
 */
__attribute__((format(printf, 3, 4))) int lam_config_problem(
    struct lam_config *config, const struct lam_config_node *node, const char *format, ...);

/* How many problems were noted, those past LAM_CONFIG_PROBLEMS_MAX included. */
uint32_t lam_config_problem_count(const struct lam_config *config);

/* All problems, in the order of the file: "FILE:LINE:COLUMN: PATH: MESSAGE", the line and a caret.
 * "" when there are none. Valid until the next call on @config. */
const char *lam_config_report(struct lam_config *config);

/*
 * The one of @count @words that @word was probably meant to be, or NULL: at most one edit for each
 * three characters away. Words past 64 characters are never near.
 */
const char *lam_config_nearest(const char *word, const char *const *words, size_t count);

/* Print the table @root as documentation: every key with kind, range, default and sentence. */
void lam_config_explain(const struct lam_config_field *root, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
