/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is well written but means nothing, and where that is said.
 * Method: a table of one schema and the one message that it must give; the excerpt below a message
 * is tested in test_messages.c.
 */

#include "mistakes.h"

TestSuite(meaning_errors, .timeout = 30);

Test(meaning_errors, names_that_mean_nothing_or_too_much)
{
    static const struct mistake mistakes[] = {
        {"table Monster {}\ntable A { m:Monstr; }",
            "2:13: error: undefined type \"Monstr\"; did you mean \"Monster\"?"},
        {"namespace a;\ntable Monster {}\nnamespace b;\ntable A { m:Monster; }",
            "4:13: error: undefined type \"Monster\"; did you mean \"a.Monster\"?"},
        {"table A { m:strng; }", "1:13: error: undefined type \"strng\"; did you mean \"string\"?"},
        {"table A { m:Whatever; }", "1:13: error: undefined type \"Whatever\""},
        {"table A { m:[a.b.Whatever]; }", "1:14: error: undefined type \"a.b.Whatever\""},
        {"table A {}\nstruct A { a:int; }", "2:8: error: \"A\" is declared a second time"},
        {"table string { a:int; }", "1:7: error: \"string\" is the name of a built-in type"},
        {"table A {\n  a:int;\n  a:int;\n}", "3:3: error: field \"a\" is declared a second time"},
        {"union U { A }\ntable A {\n  u:U;\n  u_type:ubyte;\n}",
            "4:3: error: field \"u_type\" is declared a second time"},
        {"enum E : byte { A, B, A }", "1:23: error: \"E\" has a value \"A\" already"},
        {"table T { }\nunion U { NONE: T }", "2:11: error: \"U\" has a value \"NONE\" already"},
        {"union U { Nothing }", "1:11: error: undefined type \"Nothing\""},
        {"root_type Monster;", "1:11: error: undefined type \"Monster\""},
        {"struct S { a:int; }\nroot_type S;",
            "2:11: error: the root type must be a table, which \"S\" is not"},
        {"table A {}\nrpc_service S { m(A):int; }",
            "2:22: error: the response of a method must be a table, which \"int\" is not"},
        {"table A {}\nrpc_service S { m(A):A; m(A):A; }",
            "2:25: error: method \"m\" is declared a second time"},
        {"table A {}\nrpc_service S { m(A):A; }\ntable B { s:S; }",
            "3:13: error: \"S\" is a service, not a type"},
        {"namespace a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a;",
            "1:11: error: namespaces 33 deep; at most 32 are allowed"},
    };

    CHECK_ALL(mistakes);
}

Test(meaning_errors, types_that_do_not_fit)
{
    static const struct mistake mistakes[] = {
        {"table A { a:[[int]]; }",
            "1:14: error: a vector of vectors is not possible; wrap the inner one in a table"},
        {"table A { a:[int:3]; }", "1:13: error: a fixed array can only be in a struct; a table "
                                   "holds a vector, without the length"},
        {"struct A { a:string; }", "1:14: error: a struct holds only scalars, enums, structs and "
                                   "fixed arrays of these, and a string is not"},
        {"struct A { a:[int]; }", "1:14: error: a struct holds only scalars, enums, structs and "
                                  "fixed arrays of these, and a vector is not"},
        {"table T {}\nstruct A { a:T; }", "2:14: error: a struct holds only scalars, enums, "
                                          "structs and fixed arrays of these, and a table is not"},
        {"table T {}\nstruct A { a:[T:2]; }",
            "2:14: error: a struct holds only scalars, enums, structs and fixed arrays of these, "
            "and a table is not"},
        {"struct A { }", "1:8: error: struct \"A\" has no fields"},
        {"struct A { a:A; }", "1:14: error: struct \"A\" would contain itself"},
        {"struct A { b:B; }\nstruct B { c:[C:2]; }\nstruct C { a:A; }",
            "3:14: error: struct \"A\" would contain itself"},
        {"struct A { a:[int:0]; }",
            "1:19: error: the length of a fixed array is a number from 1 to 65535"},
        {"struct A { a:[int:65536]; }",
            "1:19: error: the length of a fixed array is a number from 1 to 65535"},
        {"union U { int }",
            "1:11: error: a union member is a table, a struct or a string, which \"int\" is not"},
        {"enum E : byte { A }\nunion U { E }",
            "2:11: error: a union member is a table, a struct or a string, which \"E\" is not"},
        {"table T {}\nunion V { T }\nunion U { V }",
            "3:11: error: a union member is a table, a struct or a string, which \"V\" is not"},
        {"enum E : float { A }", "1:10: error: the type of an enum is one of byte, ubyte, short, "
                                 "ushort, int, uint, long, ulong"},
        {"enum E : bool { A }", "1:10: error: the type of an enum is one of byte, ubyte, short, "
                                "ushort, int, uint, long, ulong"},
        {"struct B { x:[ulong:8192]; }\ntable A { s:B; }",
            "2:11: error: the fields of table \"A\" need more than 65535 bytes; put some in a "
            "vector"},
    };

    CHECK_ALL(mistakes);
}

Test(meaning_errors, enum_values_that_do_not_fit)
{
    static const struct mistake mistakes[] = {
        {"enum E : byte { A = 128 }",
            "1:21: error: the value of \"A\" does not fit into byte, which holds -128 to 127"},
        {"enum E : ubyte { A = -1 }",
            "1:22: error: the value of \"A\" does not fit into ubyte, which holds 0 to 255"},
        {"enum E : ubyte { A = 255, B }",
            "1:27: error: the value of \"B\" would be one more than ubyte can hold"},
        {"enum E : byte { A = 1, B = 1 }", "1:24: error: \"B\" has the same value as \"A\""},
        {"enum E : byte { A = 1.5 }", "1:21: error: the value of \"A\" is not an integer"},
        {"enum E : ulong { A = 18446744073709551616 }",
            "1:22: error: the value of \"A\" does not fit into ulong, which holds 0 to "
            "18446744073709551615"},
        {"enum E : ubyte (bit_flags) { A = 8 }",
            "1:34: error: flag \"A\" would be bit 8, but ubyte has 8 bits"},
        {"enum E : byte (bit_flags) { A }",
            "1:16: error: bit_flags needs an unsigned type, not byte"},
    };

    CHECK_ALL(mistakes);
}

Test(meaning_errors, defaults_that_do_not_fit)
{
    static const struct mistake mistakes[] = {
        {"table A { a:ubyte = 256; }",
            "1:21: error: this number does not fit into ubyte, which holds 0 to 255"},
        {"table A { a:int = 1.5; }", "1:19: error: expected an integer"},
        {"table A { a:int = true; }", "1:19: error: expected an integer"},
        {"table A { a:bool = 2; }", "1:20: error: expected true or false"},
        {"table A { a:float = \"1\"; }", "1:21: error: expected a number, inf or nan"},
        {"table A { a:float = 1e39; }", "1:21: error: this number does not fit into a float"},
        {"table A { a:double = 1e400; }", "1:22: error: this number does not fit into a double"},
        {"table A { a:string = 5; }", "1:22: error: expected text in quotes"},
        {"table A { a:string = null; }",
            "1:22: error: only scalars need this: without a default it is optional"},
        {"table A { a:[int] = [1]; }",
            "1:22: error: expected ']': only the empty vector can be a default, but found \"1\""},
        {"table A { a:[int] = 1; }", "1:21: error: the only default of a vector is []"},
        {"table A { a:A = 1; }", "1:17: error: a table has no default"},
        {"struct A { a:int = 1; }",
            "1:20: error: fields of a struct are always there and have no default"},
        {"enum E : byte { One = 1 }\ntable A { e:E; }",
            "2:11: error: enum \"E\" has no value 0: field \"e\" needs a default (or = null)"},
        {"enum E : byte { Zero, One }\ntable A { e:E = Onee; }",
            "2:17: error: enum \"E\" has no value \"Onee\"; did you mean \"One\"?"},
        {"enum E : byte { Zero, One }\ntable A { e:E = Other; }",
            "2:17: error: enum \"E\" has no value \"Other\""},
        {"enum E : byte { Zero, One }\ntable A { e:E = 2; }",
            "2:17: error: enum \"E\" has no value with this number"},
        {"enum E : byte { Zero, One }\ntable A { e:E = \"Zero One\"; }",
            "2:17: error: only values of a bit_flags enum can be combined"},
        {"table A { a:float = rad(180); }",
            "1:25: error: expected the name of an attribute but found \"180\""},
        {"table A { a:ulong = 18446744073709551616; }",
            "1:21: error: this number does not fit into ulong, which holds 0 to "
            "18446744073709551615"},
        {"table A { a:int = null (key); }", "1:19: error: a key cannot be null"},
    };

    CHECK_ALL(mistakes);
}

Test(meaning_errors, attributes_that_do_not_fit)
{
    static const struct mistake mistakes[] = {
        {"table A { a:int (foo); }", "1:18: error: unknown attribute \"foo\"; one of your own "
                                     "needs a line 'attribute \"foo\";'"},
        {"table A { a:string (requird); }",
            "1:21: error: unknown attribute \"requird\"; did you mean \"required\"?"},
        {"table A { a:int (required); }",
            "1:18: error: \"required\" is not for scalars: an absent one has its default"},
        {"table A { a:string = \"x\" (required); }",
            "1:27: error: \"required\" contradicts the default value of the field"},
        {"table A (required) { a:int; }",
            "1:10: error: attribute \"required\" means nothing on a table"},
        {"struct A { a:int (id: 0); }",
            "1:23: error: attribute \"id\" means nothing on a struct's field"},
        {"struct A { a:int (deprecated); }",
            "1:19: error: attribute \"deprecated\" means nothing on a struct's field"},
        {"table A { a:string (key, key); }", "1:26: error: attribute \"key\" is given twice"},
        {"table A {\n  a:int (key);\n  b:int (key);\n}", "3:10: error: \"A\" has a key already"},
        {"table A { a:[int] (key); }", "1:20: error: \"key\" is for scalars and strings only"},
        {"table A { a:int (shared); }", "1:18: error: \"shared\" is for strings only"},
        {"table A { a:int (hash: \"md5\"); }", "1:24: error: \"hash\" is one of fnv1_16, fnv1a_16, "
                                               "fnv1_32, fnv1a_32, fnv1_64, fnv1a_64"},
        {"table A { a:int (hash: \"fnv1_64\"); }",
            "1:24: error: hash \"fnv1_64\" needs an integer of 64 bits"},
        {"struct A (force_align: 3) { a:int; }",
            "1:24: error: \"force_align\" is a power of two from the natural alignment 4 to 32"},
        {"struct A (force_align: 2) { a:int; }",
            "1:24: error: \"force_align\" is a power of two from the natural alignment 4 to 32"},
        {"struct A (force_align: 64) { a:int; }",
            "1:24: error: \"force_align\" is a power of two from the natural alignment 4 to 32"},
        {"table A { a:[int] (force_align: 5); }",
            "1:33: error: \"force_align\" is a power of two from 1 to 32"},
        {"table A { a:int (force_align: 8); }",
            "1:31: error: \"force_align\" is for structs and for vectors in tables"},
        {"table A { a:[int] (nested_flatbuffer: \"A\"); }",
            "1:39: error: \"nested_flatbuffer\" is for [ubyte] only"},
        {"table A { a:[ubyte] (nested_flatbuffer: \"B\"); }", "1:41: error: undefined type \"B\""},
        {"table A { a:[ubyte] (nested_flatbuffer); }",
            "1:22: error: \"nested_flatbuffer\" needs the name of a table"},
        {"table A { a:int (flexbuffer); }", "1:18: error: \"flexbuffer\" is for [ubyte] only"},
        {"table A { a:int (max: 5); }", "1:23: error: \"max\" bounds strings and vectors only"},
        {"table A { a:string (max: -1); }",
            "1:26: error: \"max\" is a number from 0 to 2147483647"},
        {"table A { a:[int] (max_text: 5); }",
            "1:30: error: \"max_text\" bounds the strings of a vector of strings only"},
        {"file_identifier \"ABC\";",
            "1:17: error: a file identifier has exactly 4 bytes, this has 3"},
        {"enum E : byte (force_align: 4) { A }",
            "1:29: error: attribute \"force_align\" means nothing on an enum"},
    };

    CHECK_ALL(mistakes);
}

Test(meaning_errors, ids_that_do_not_fit)
{
    static const struct mistake mistakes[] = {
        {"table A {\n  a:int (id: 0);\n  b:int;\n}",
            "3:3: error: field \"b\" has no id, but others of \"A\" have: all fields or none"},
        {"table A {\n  a:int (id: 0);\n  b:int (id: 0);\n}", "3:14: error: id 0 is taken already"},
        {"table A { a:int (id: 1); }",
            "1:22: error: id 1 leaves a gap: the ids of \"A\" run from 0 to 0"},
        {"table A { a:int (id: -1); }", "1:22: error: an id is a number from 0 upwards"},
        {"table A { a:int (id: x); }", "1:22: error: an id is a number from 0 upwards"},
        {"table T {}\nunion U { T }\ntable A { u:U (id: 0); }",
            "3:20: error: the id of a union is at least 1: the one below belongs to its tag"},
        {"table T {}\nunion U { T }\ntable A {\n  u:U (id: 1);\n  a:int (id: 0);\n}",
            "5:14: error: id 0 is taken already"},
    };

    CHECK_ALL(mistakes);
}
