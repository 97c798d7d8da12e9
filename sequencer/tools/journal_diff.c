/* SPDX-License-Identifier: Apache-2.0 */
/* diff: the first event that differs between two journals. */
#include <stdio.h>
#include <string.h>

#include "journal_tool.h"

/* The next event at or behind @from. */
static int next_from(struct cursor *cursor, uint64_t from, struct batch_record *record)
{
    int result;

    while ((result = cursor_next(cursor, record)) == 1 && record->sequence < from)
        ;
    return result;
}

static int is_equal(const struct batch_record *one, const struct batch_record *other)
{
    return one->sequence == other->sequence && one->time_ns == other->time_ns &&
           one->kind == other->kind && one->bytes == other->bytes &&
           memcmp(one->data, other->data, one->bytes) == 0;
}

static int differs(const struct batch_record *one, const struct batch_record *other)
{
    (void)printf("event %llu differs: time %llu and %llu, kind %u and %u, bytes %u and %u; "
                 "`lamina journal dump --from` shows them\n",
        (unsigned long long)one->sequence, (unsigned long long)one->time_ns,
        (unsigned long long)other->time_ns, one->kind, other->kind, one->bytes, other->bytes);
    return EXIT_DAMAGED;
}

/* Events that both have, from @from on: one of them may begin later. */
static int compare(struct cursor *one, struct cursor *other, uint64_t from)
{
    struct batch_record left, right;
    int has_left = next_from(one, from, &left), has_right = next_from(other, from, &right);

    if (has_left == 1 && has_right == 1 && left.sequence < right.sequence)
        has_left = next_from(one, right.sequence, &left);
    else if (has_left == 1 && has_right == 1 && right.sequence < left.sequence)
        has_right = next_from(other, left.sequence, &right);
    for (; has_left == 1 && has_right == 1;) {
        if (!is_equal(&left, &right))
            return differs(&left, &right);
        has_left = cursor_next(one, &left);
        has_right = cursor_next(other, &right);
    }
    if (has_left < 0 || has_right < 0)
        return has_left < 0 ? tool_failed(one, has_left) : tool_failed(other, has_right);
    if (has_left == has_right)
        (void)printf("equal\n");
    else
        (void)printf("equal, and then %s ends; the other one goes on with event %llu\n",
            has_left == 1 ? other->folder : one->folder,
            (unsigned long long)(has_left == 1 ? left.sequence : right.sequence));
    return has_left == has_right ? EXIT_SOUND : EXIT_DAMAGED;
}

int tool_diff(const struct journal_options *options)
{
    struct cursor one, other;
    int code = tool_open(&one, options->folders[0], 0);

    if (code != 0)
        return code;
    code = tool_open(&other, options->folders[1], 0);
    if (code == 0) {
        code = compare(&one, &other, options->from);
        cursor_close(&other);
    }
    cursor_close(&one);
    return code;
}
