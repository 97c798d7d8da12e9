/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The type hash changes with what two ends must agree on, and with nothing else. Method: one base
 * schema, and variants that must keep or must change the hash of its root.
 */

#include "sources.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(schema_hash, .timeout = 30);

static const char base[] =
    "namespace n; enum E : byte { A, B } struct S { x:int; y:short; } table L { s:S; l:L; v:[V]; }"
    "table V { e:E; } union U { L, V } table R { a:int; b:string; e:E; u:U; l:L; n:[ubyte]; }"
    "root_type R;";

static uint64_t hash_of(const char *text)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;
    uint64_t hash;

    cr_assert(text_load(text, &diagnostics, &schema) == 0, "%s\n%s", text,
        schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
    hash = schema->hash;
    schema_destroy(schema);
    return hash;
}

/* @base with the first @from in it replaced by @to. */
static const char *edited(const char *from, const char *to)
{
    static char text[2048];
    const char *at = strstr(base, from);

    cr_assert(at != NULL, "%s", from);
    cr_assert(snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - base), base, to,
                  at + strlen(from)) < (int)sizeof(text));
    return text;
}

Test(schema_hash, is_the_same_today_as_when_it_was_shipped)
{
    cr_expect(hash_of(base) == UINT64_C(0x203b5ff06213f0cc), "%016llx",
        (unsigned long long)hash_of(base));
}

Test(schema_hash, stays_when_nothing_changes_that_both_ends_must_know)
{
    static const char *const edits[][2] = {
        {"namespace n;", "// a comment\nnamespace n;"},
        {"table R {", "/// documented\ntable R {"},
        {"b:string;", "b:string (max: 64);"},
        {"a:int;", "a:int (deprecated);"},
        {"a:int;", "a:int32 = 0;"},
        {"root_type R;", "root_type n.R; file_identifier \"ABCD\";"},
        {"root_type R;", "table Other { r:R; } root_type R;"},
        {"A, B", "B = 1, A = 0"},
    };

    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        const char *text = edited(edits[i][0], edits[i][1]);

        cr_expect(hash_of(text) == hash_of(base), "%s", text);
    }
}

Test(schema_hash, stays_when_declarations_and_fields_with_ids_move)
{
    static const char moved[] =
        "namespace n; table V { e:E; } table L { s:S; l:L; v:[V]; }"
        "table R { l:L (id: 5); n:[ubyte] (id: 6); u:U (id: 4); b:string (id: 1);"
        "a:int (id: 0); e:E (id: 2); } union U { L, V } root_type R;"
        "struct S { x:int; y:short; } enum E : byte { A, B }";

    cr_expect(hash_of(moved) == hash_of(base));
}

Test(schema_hash, changes_with_everything_that_both_ends_must_know)
{
    static const char *const edits[][2] = {
        {"namespace n;", "namespace m;"},
        {"A, B", "A, B, C"},
        {"A, B", "B, A"},
        {"E : byte", "E : ubyte"},
        {"x:int; y:short;", "y:short; x:int;"},
        {"y:short;", "y:ushort;"},
        {"y:short;", "z:short;"},
        {"struct S {", "struct S (force_align: 8) {"},
        {"v:[V];", "v:[V]; w:int;"},
        {"v:[V];", "v:V;"},
        {"table V { e:E; }", "table V { e:E = B; }"},
        {"table V { e:E; }", "table V { e:E = null; }"},
        {"U { L, V }", "U { V, L }"},
        {"U { L, V }", "U { L, W: V }"},
        {"a:int;", "a:int = 1;"},
        {"a:int;", "a:uint;"},
        {"a:int;", "a:int (key);"},
        {"a:int; b:string;", "b:string; a:int;"},
        {"b:string;", "b:string (required);"},
        {"b:string;", "b:string = \"x\";"},
        {"n:[ubyte];", "n:[ubyte] (nested_flatbuffer: \"V\");"},
        {"n:[ubyte];", "n:[ubyte] (force_align: 16);"},
        {"n:[ubyte];", "n:[byte];"},
        {"root_type R", "root_type L"},
    };

    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        const char *text = edited(edits[i][0], edits[i][1]);

        cr_expect(hash_of(text) != hash_of(base), "%s", text);
    }
}

Test(schema_hash, does_not_depend_on_how_types_are_spread_over_files)
{
    static const struct source sources[] = {
        {"main.fbs", "include \"z.fbs\"; include \"y.fbs\"; namespace n; table R { a:int;"
                     " b:string; e:E; u:U; l:L; n:[ubyte]; } root_type R;"},
        {"lib/y.fbs", "include \"z.fbs\"; namespace n; union U { L, V } enum E : byte { A, B }"},
        {"lib/z.fbs", "include \"y.fbs\"; namespace n; table V { e:E; } struct S { x:int;"
                      " y:short; } table L { s:S; l:L; v:[V]; }"},
    };
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    cr_assert(sources_load(sources, 3, &diagnostics, &schema) == 0, "%s",
        schema_diagnostics_text(&diagnostics));
    cr_expect(schema->hash == hash_of(base));
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
}

Test(schema_hash, of_members_of_one_cycle_differ)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    cr_assert(text_load("table A { x:B; } table B { x:A; } table C { x:C; }", &diagnostics,
                  &schema) == 0);
    cr_assert(schema->record_count == 3);
    cr_expect(schema->order[0]->hash != schema->order[1]->hash);
    cr_expect(schema->order[1]->hash != schema->order[2]->hash);
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
}
