/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a schema means, as generators see it: layout, ids, defaults, order. Method: small schemas,
 * expected facts worked out by hand from the format's rules.
 */

#include "sources.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(schema_meaning, .timeout = 30);

static struct schema *load(const char *text)
{
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    cr_assert(
        text_load(text, &diagnostics, &schema) == 0, "%s", schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
    return schema;
}

static const struct schema_record *record(const struct schema *schema, const char *full_name)
{
    for (size_t i = 0; i < schema->record_count; i++)
        if (strcmp(schema->order[i]->declaration.full_name, full_name) == 0)
            return schema->order[i];
    cr_assert(false, "no record %s", full_name);
    return NULL;
}

static const struct schema_field *field(const struct schema_record *record, const char *name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i]->name, name) == 0)
            return record->fields[i];
    cr_assert(false, "no field %s", name);
    return NULL;
}

Test(schema_meaning, structs_are_padded_as_the_format_demands)
{
    struct schema *schema = load("struct In (force_align: 16) { a:byte; b:short; c:[ubyte:3]; }"
                                 "struct Out { x:bool; in:In; y:[In:2]; z:double; }");
    const struct schema_record *in = record(schema, "In");
    const struct schema_record *out = record(schema, "Out");

    cr_expect(in->size == 16 && in->align == 16);
    cr_expect(field(in, "b")->offset == 2 && field(in, "c")->offset == 4);
    cr_expect(field(in, "a")->padding_after == 1 && field(in, "c")->padding_after == 9);
    cr_expect(out->size == 80 && out->align == 16 && out->align_max == 16);
    cr_expect(field(out, "in")->offset == 16 && field(out, "x")->padding_after == 15);
    cr_expect(field(out, "y")->offset == 32 && field(out, "y")->size == 32);
    cr_expect(field(out, "z")->offset == 64 && field(out, "z")->padding_after == 8);
    schema_destroy(schema);
}

Test(schema_meaning, a_union_takes_two_ids_its_tag_first)
{
    struct schema *schema = load("table T {} union U { T, N: string }"
                                 "table A { x:int (id: 2); u:U (id: 1); us:[U] (id: 4); }");
    const struct schema_record *a = record(schema, "A");
    const struct schema_field *tag = field(a, "u_type");
    const struct schema_field *tags = field(a, "us_type");

    cr_assert(a->field_count == 5);
    cr_expect(tag->id == 0 && tag->vtable_offset == 4 && tag->type.kind == SCHEMA_U8);
    cr_expect(tag->is_union_tag && tag->companion == field(a, "u"));
    cr_expect(tag->type.enumeration->is_union && tag->type.enumeration->value_count == 3);
    cr_expect(tag->type.enumeration->values[2].type.kind == SCHEMA_STRING);
    cr_expect(field(a, "u")->id == 1 && field(a, "u")->companion == tag);
    cr_expect(tags->type.kind == SCHEMA_VECTOR && tags->type.element == SCHEMA_U8);
    cr_expect(field(a, "us")->type.element == SCHEMA_UNION && field(a, "us")->id == 4);
    cr_expect(a->fields[0]->id == 2 && a->by_id[2] == a->fields[0], "declaration order is kept");
    schema_destroy(schema);
}

Test(schema_meaning, defaults_are_exact_to_the_ends_of_each_type)
{
    struct schema *schema = load(
        "enum E : ulong (bit_flags) { Low = 0, High = 63 }"
        "table A { a:ulong = 18446744073709551615; b:long = -9223372036854775808; c:byte = -0x80;"
        "d:bool = true; e:E = \"Low High\"; f:float = 0.1; g:double = -inf; h:float = nan;"
        "i:int = null; j:string = \"\\u00e9\\\"\"; k:[int] = []; l:double = -0.0; m:short;"
        "n:double = 0x1.8p1; o:E = E.High; p:string = \"\\ud83d\\ude00\\u0800\\x41\\/\"; }");
    const struct schema_record *a = record(schema, "A");

    cr_expect(field(a, "a")->default_bits == UINT64_MAX);
    cr_expect(field(a, "b")->default_bits == UINT64_C(1) << 63);
    cr_expect(field(a, "c")->default_bits == (uint64_t)-128);
    cr_expect(field(a, "d")->default_bits == 1);
    cr_expect(field(a, "e")->default_bits == ((UINT64_C(1) << 63) | 1));
    cr_expect(schema_default_double(field(a, "f")) == (double)0.1f);
    cr_expect(schema_default_double(field(a, "g")) == -(double)INFINITY);
    cr_expect(isnan(schema_default_double(field(a, "h"))));
    cr_expect(field(a, "i")->optional && field(a, "i")->has_default);
    cr_expect(strcmp(field(a, "j")->default_string, "\303\251\"") == 0);
    cr_expect(field(a, "j")->default_string_bytes == 3);
    cr_expect(field(a, "k")->has_default && field(a, "k")->default_string == NULL);
    cr_expect(field(a, "l")->default_bits == UINT64_C(1) << 63, "the sign of zero is kept");
    cr_expect(!field(a, "m")->has_default && field(a, "m")->default_bits == 0);
    cr_expect(schema_default_double(field(a, "n")) == 3.0);
    cr_expect(field(a, "o")->default_bits == UINT64_C(1) << 63);
    cr_expect(strcmp(field(a, "p")->default_string, "\360\237\230\200\340\240\200A/") == 0);
    schema_destroy(schema);
}

Test(schema_meaning, enum_values_count_on_from_the_one_before)
{
    struct schema *schema = load("enum E : byte { A = -2, B, C, D = 5, F }"
                                 "enum G : ushort (bit_flags) { P, Q, R = 15 }");
    const struct schema_enum *e = schema->enums[0];
    const struct schema_enum *g = schema->enums[1];

    cr_expect(e->is_signed && (int64_t)e->values[0].bits == -2 && e->values[2].bits == 0);
    cr_expect((int64_t)e->values[1].bits == -1 && e->values[4].bits == 6);
    cr_expect(g->bit_flags && g->values[1].bits == 2 && g->values[2].bits == 0x8000);
    schema_destroy(schema);
}

Test(schema_meaning, a_name_means_the_innermost_declaration_that_has_it)
{
    struct schema *schema =
        load("table T {} namespace a; table T {} namespace a.b; table A { t:T; u:c.T; }"
             "namespace a.b.c; table T {} table B { t:T; u:a.T; } namespace z; table C { t:T; }");

    cr_expect(field(record(schema, "a.b.A"), "t")->type.record == record(schema, "a.T"));
    cr_expect(field(record(schema, "a.b.A"), "u")->type.record == record(schema, "a.b.c.T"));
    cr_expect(field(record(schema, "a.b.c.B"), "t")->type.record == record(schema, "a.b.c.T"));
    cr_expect(field(record(schema, "a.b.c.B"), "u")->type.record == record(schema, "a.T"));
    cr_expect(field(record(schema, "z.C"), "t")->type.record == record(schema, "T"));
    schema_destroy(schema);
}

Test(schema_meaning, records_come_after_what_they_refer_to)
{
    struct schema *schema = load("table A { b:[B]; u:U; } union U { C } table B { s:S; }"
                                 "table C { d:D; } struct S { a:int; }"
                                 "table D { c:C; } table E { e:E; } table F { n:[ubyte]"
                                 " (nested_flatbuffer: \"A\"); }");

    cr_expect(record(schema, "S")->order_index < record(schema, "B")->order_index);
    cr_expect(record(schema, "B")->order_index < record(schema, "A")->order_index);
    cr_expect(record(schema, "C")->order_index < record(schema, "A")->order_index);
    cr_expect(record(schema, "A")->order_index < record(schema, "F")->order_index);
    cr_expect(record(schema, "D")->order_index == record(schema, "C")->order_index + 1);
    cr_expect(record(schema, "C")->is_recursive && record(schema, "D")->is_recursive);
    cr_expect(record(schema, "E")->is_recursive && !record(schema, "A")->is_recursive);
    schema_destroy(schema);
}

Test(schema_meaning, the_alignment_of_a_buffer_is_that_of_its_most_demanding_part)
{
    struct schema *schema = load("table A { b:B; } table B { v:[ubyte] (force_align: 32); }"
                                 "table C { x:ubyte; } table D { v:[double]; }"
                                 "table E { n:[ubyte] (nested_flatbuffer: \"A\"); }");

    cr_expect(record(schema, "A")->align_max == 32 && record(schema, "E")->align_max == 32);
    cr_expect(record(schema, "C")->align_max == 4);
    cr_expect(record(schema, "D")->align_max == 8 && record(schema, "D")->align == 4);
    schema_destroy(schema);
}

Test(schema_meaning, attributes_bounds_and_comments_reach_the_generator)
{
    struct schema *schema =
        load("attribute \"topic\"; attribute \"depth\";\n"
             "/// A line.\n///  Indented, with a \"quote\".\ntable A (topic: \"x\") {\n"
             "  // no documentation\n  /// Of s.\n  s:string (max: 64, key, depth: -3);\n"
             "  v:[string] (max: 0x10, max_text: 8, required);\n  w:string (deprecated);\n}\n"
             "file_identifier \"ABCD\"; file_extension \"bin\"; root_type A;");
    const struct schema_record *a = record(schema, "A");

    cr_assert(a->declaration.docs.count == 2);
    cr_expect(strcmp(a->declaration.docs.lines[1], " Indented, with a \"quote\".") == 0);
    cr_assert(schema_attribute_find(&a->declaration.attributes, "topic") != NULL);
    cr_expect(strcmp(schema_attribute_find(&a->declaration.attributes, "topic")->text, "x") == 0);
    cr_assert(field(a, "s")->docs.count == 1);
    cr_expect(field(a, "s")->max == 64 && field(a, "s")->key && a->key == field(a, "s"));
    cr_expect(schema_attribute_find(&field(a, "s")->attributes, "depth")->integer == -3);
    cr_expect(field(a, "v")->max == 16 && field(a, "v")->max_text == 8 && field(a, "v")->required);
    cr_expect(field(a, "w")->deprecated && field(a, "w")->max == UINT32_MAX);
    cr_expect(schema->root == a && strcmp(schema->file_identifier, "ABCD") == 0);
    cr_expect(strcmp(schema->file_extension, "bin") == 0);
    schema_destroy(schema);
}

Test(schema_meaning, words_of_the_language_are_names_too)
{
    struct schema *schema = load("table table { table:int; struct:struct; enum:[enum]; root_type:"
                                 "int; null:int; inf:int; include:int; }"
                                 "struct struct { namespace:int; } enum enum : byte { union }");

    cr_expect(record(schema, "table")->field_count == 7);
    schema_destroy(schema);
}

Test(schema_meaning, an_enum_without_values_has_none_and_a_string_key_is_required)
{
    struct schema *schema = load("enum E : int {} table A { e:E; k:string (key); }");

    cr_assert(schema->enums[0]->value_count == 1);
    cr_expect(strcmp(schema->enums[0]->values[0].name, "NONE") == 0);
    cr_expect(schema->enums[0]->values[0].bits == 0);
    cr_expect(field(record(schema, "A"), "k")->required);
    schema_destroy(schema);
}

Test(schema_meaning, an_empty_file_is_a_schema)
{
    static const char *const texts[] = {"", "\xef\xbb\xbf", "// nothing", ";;", "\r\n\t"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct schema *schema = load(texts[i]);

        cr_expect(schema->declaration_count == 0 && schema->root == NULL);
        schema_destroy(schema);
    }
}
