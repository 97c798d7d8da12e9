/* SPDX-License-Identifier: Apache-2.0 */
/* The tables as documentation, so that what is printed is what is checked. */
#include "node.h"

#include <inttypes.h>
#include <string.h>

static const char *const kind_names[] = {
    [LAM_CONFIG_TEXT] = "text",
    [LAM_CONFIG_NAME] = "name",
    [LAM_CONFIG_NUMBER] = "number",
    [LAM_CONFIG_BYTES] = "bytes",
    [LAM_CONFIG_DURATION] = "duration",
    [LAM_CONFIG_FLAG] = "true or false",
    [LAM_CONFIG_WORD] = "one of",
    [LAM_CONFIG_LIST] = "list of",
    [LAM_CONFIG_RECORD] = "keys",
    [LAM_CONFIG_MAP] = "map of",
};

static void print_kind(const struct lam_config_field *field, FILE *out)
{
    const char *separator = field->kind == LAM_CONFIG_WORD ? " " : ", or ";

    (void)fputs(kind_names[field->kind], out);
    for (size_t i = 0; field->words != NULL && field->words[i] != NULL; i++)
        (void)fprintf(out, "%s%s", i == 0 ? separator : ", ", field->words[i]);
    if (field->kind == LAM_CONFIG_LIST || field->kind == LAM_CONFIG_MAP) {
        (void)fputc(' ', out);
        print_kind(&field->fields[0], out);
    }
    if ((field->flags & LAM_CONFIG_POWER_OF_TWO) != 0)
        (void)fputs(", a power of two", out);
    if (field->kind == LAM_CONFIG_NUMBER && field->max != 0)
        (void)fprintf(out, ", %" PRIu64 " to %" PRIu64, field->min, field->max);
}

static void print_fields(const struct lam_config_field *fields, int indent, FILE *out);

/* What stands below a row: the keys of a record, or of the records of a map or list. */
static void print_below(const struct lam_config_field *field, int indent, FILE *out)
{
    if (field->kind == LAM_CONFIG_RECORD) {
        print_fields(field->fields, indent, out);
    } else if (field->kind == LAM_CONFIG_MAP || field->kind == LAM_CONFIG_LIST) {
        if (field->fields[0].kind != LAM_CONFIG_RECORD)
            return;
        (void)fprintf(out, "%*s%s\n", indent, "", field->kind == LAM_CONFIG_MAP ? "NAME:" : "-");
        print_fields(field->fields[0].fields, indent + 2, out);
    }
}

static void print_fields(const struct lam_config_field *fields, int indent, FILE *out)
{
    for (; fields->key != NULL; fields++) {
        (void)fprintf(out, "%*s%s: ", indent, "", fields->key);
        print_kind(fields, out);
        if ((fields->flags & LAM_CONFIG_REQUIRED) != 0)
            (void)fputs("; required", out);
        else if (fields->fallback != NULL && fields->fallback[0] != '\0')
            (void)fprintf(out, "; default %s", fields->fallback);
        (void)fprintf(out, "\n%*s# %s\n", indent + 4, "", fields->doc != NULL ? fields->doc : "");
        print_below(fields, indent + 2, out);
    }
}

void lam_config_explain(const struct lam_config_field *root, FILE *out)
{
    print_fields(root->fields, 0, out);
}
