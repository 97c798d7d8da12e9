/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Schemas of several files: what is found where, what is read once, and what the main file alone
 * decides. Method: files in memory, folder "lib" to look in.
 */

#include "dump.h"
#include "sources.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(schema_files, .timeout = 30);

static struct schema *load(const struct source *sources, size_t count)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    cr_assert(sources_load(sources, count, &diagnostics, &schema) == 0, "%s",
        schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
    return schema;
}

Test(schema_files, each_is_read_once_and_cycles_are_harmless)
{
    static const struct source sources[] = {
        {"a.fbs", "include \"d/b.fbs\"; include \"./d/../d/b.fbs\"; include \"a.fbs\"; table A"
                  " { b:B; }"},
        {"d/b.fbs", "include \"../a.fbs\"; include \"c.fbs\"; table B { a:A; c:C; }"},
        {"d/c.fbs", "include \"b.fbs\"; table C { a:A; }"},
    };
    struct schema *schema = load(sources, 3);

    cr_assert(schema->file_count == 3 && schema->declaration_count == 3);
    cr_expect(strcmp(schema->files[0]->path, "a.fbs") == 0);
    cr_expect(schema->files[0]->include_count == 2, "itself, and b once");
    cr_expect(strcmp(schema->declarations[0]->name, "C") == 0, "what is included comes first");
    cr_expect(strcmp(schema->declarations[2]->name, "A") == 0);
    cr_expect(schema->declarations[2]->file == schema->files[0]);
    cr_expect(schema->order[0]->is_recursive);
    schema_destroy(schema);
}

Test(schema_files, its_own_folder_comes_before_those_of_the_command_line)
{
    static const struct source both[] = {
        {"d/a.fbs", "include \"b.fbs\";"},
        {"lib/b.fbs", "table FromLib {}"},
        {"d/b.fbs", "table FromHere {}"},
    };
    struct schema *schema = load(both, 3);

    cr_expect(strcmp(schema->declarations[0]->name, "FromHere") == 0);
    schema_destroy(schema);
    schema = load(both, 2);
    cr_expect(strcmp(schema->declarations[0]->name, "FromLib") == 0);
    cr_expect(strcmp(schema->files[1]->path, "lib/b.fbs") == 0);
    cr_expect(strcmp(schema->files[1]->spelled, "b.fbs") == 0);
    schema_destroy(schema);
}

Test(schema_files, root_identifier_and_namespace_of_an_include_stay_there)
{
    static const struct source sources[] = {
        {"a.fbs", "include \"b.fbs\"; table A {}"},
        {"b.fbs", "namespace n; table B {} root_type B; file_identifier \"BBBB\";"
                  " file_extension \"b\";"},
    };
    struct schema *schema = load(sources, 2);

    cr_expect(schema->root == NULL && schema->file_identifier[0] == '\0');
    cr_expect(schema->file_extension[0] == '\0');
    cr_expect(strcmp(schema->declarations[1]->full_name, "A") == 0);
    schema_destroy(schema);
}

Test(schema_files, too_many_are_refused)
{
    static struct source sources[SCHEMA_FILE_COUNT_MAX + 1];
    static char paths[SCHEMA_FILE_COUNT_MAX + 1][16];
    static char texts[SCHEMA_FILE_COUNT_MAX + 1][32];
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    for (unsigned i = 0; i <= SCHEMA_FILE_COUNT_MAX; i++) {
        snprintf(paths[i], sizeof(paths[i]), "f%u.fbs", i);
        snprintf(texts[i], sizeof(texts[i]), "include \"f%u.fbs\";", i + 1);
        sources[i] = (struct source){paths[i], texts[i]};
    }
    sources[SCHEMA_FILE_COUNT_MAX - 1].text = "";
    schema = load(sources, SCHEMA_FILE_COUNT_MAX);
    cr_expect(schema->file_count == SCHEMA_FILE_COUNT_MAX);
    schema_destroy(schema);
    schema = NULL;
    sources[SCHEMA_FILE_COUNT_MAX - 1].text = texts[SCHEMA_FILE_COUNT_MAX - 1];
    cr_expect(sources_load(sources, SCHEMA_FILE_COUNT_MAX + 1, &diagnostics, &schema) == -EINVAL);
    cr_expect(strncmp(schema_diagnostics_text(&diagnostics),
                  "f255.fbs:1:9: error: a schema of more than 256 files\n", 53) == 0,
        "%s", schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
}

Test(schema_files, the_rule_for_make_names_every_file_and_escapes_it)
{
    static const struct source sources[] = {
        {"my dir/a#1.fbs", "include \"b$.fbs\";"},
        {"my dir/b$.fbs", ""},
    };
    struct schema *schema = load(sources, 2);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    cr_assert(out != NULL);
    cr_expect(dump_dependencies(schema, "out dir/a.h", out) == 0);
    cr_assert(fclose(out) == 0);
    cr_expect(strcmp(text, "out\\ dir/a.h: \\\n  my\\ dir/a\\#1.fbs \\\n  my\\ dir/b$$.fbs\n") == 0,
        "%s", text);
    free(text);
    schema_destroy(schema);
}
