/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the lexer and the parser refuse, and where they say it.
 * Method: a table of one schema and the one message that it must give; the excerpt below a message
 * is tested in test_messages.c.
 */

#include "mistakes.h"

TestSuite(grammar_errors, .timeout = 30);

Test(grammar_errors, words_that_are_none)
{
    static const struct mistake mistakes[] = {
        {"table A { a:int @; }", "1:17: error: unexpected character '@'"},
        {"table A { a:int; }\n/* never closed", "2:1: error: this comment has no end"},
        {"file_identifier \"ABCD;\n", "1:17: error: this string has no end on its line"},
        {"table A { s:string = \"a\\q\"; }", "1:24: error: unknown escape in a string"},
        {"table A { s:string = \"\\u12\"; }", "1:23: error: \\u needs four hexadecimal digits"},
        {"table A { s:string = \"\\ud800x\"; }",
            "1:23: error: first half of a surrogate pair without the second"},
        {"table A { s:string = \"\\udc00\"; }",
            "1:23: error: second half of a surrogate pair without the first"},
        {"table A { s:string = \"\\x00\"; }",
            "1:23: error: a zero byte is not allowed in a string"},
        {"table A { s:string = \"\\xff\"; }",
            "1:22: error: the escapes of this string do not make UTF-8"},
        {"table A { a:int = 0x; }", "1:19: error: malformed number \"0x\""},
        {"table A { a:int = 12ab; }", "1:19: error: malformed number \"12ab\""},
        {"table A { a:float = 1e; }", "1:21: error: malformed number \"1e\""},
        {"table A { a:int; } \001", "1:20: error: unexpected byte 0x01"},
        {"table A { a:int; } // \377", "1:23: error: byte 0xff is not UTF-8 text"},
    };

    CHECK_ALL(mistakes);
}

Test(grammar_errors, grammar_is_reported_where_something_lacks)
{
    static const struct mistake mistakes[] = {
        {"table A {\n  a:int\n  b:int;\n}", "2:8: error: expected ';' behind the field here"},
        {"table A { a:int b:int; }", "1:17: error: expected ';' behind the field but found \"b\""},
        {"table A { a int; }",
            "1:13: error: expected ':' behind the name of the field but found \"int\""},
        {"table A {\n  a:int;\n\ntable B { b:int; }",
            "2:9: error: expected '}' here, behind the fields of \"A\""},
        {"table A {\n  a:int;\n", "2:9: error: expected '}' here, behind the fields of \"A\""},
        {"table { a:int; }", "1:7: error: expected the name of the table but found \"{\""},
        {"table A a:int;", "1:9: error: expected '{' before the fields but found \"a\""},
        {"table A { 5:int; }", "1:11: error: expected the name of a field or '}' but found \"5\""},
        {"table A { a:; }", "1:13: error: expected a type but found \";\""},
        {"table A { a:[int; }",
            "1:17: error: expected ']' behind the type of the elements but found \";\""},
        {"table A { a:int = ; }", "1:19: error: expected a default value but found \";\""},
        {"table A { a:int = -; }", "1:20: error: expected a number but found \";\""},
        {"table A { a:int (id: 0; }",
            "1:23: error: expected ')' or ',' behind the attribute but found \";\""},
        {"table A { a:int (); }", "1:18: error: expected the name of an attribute but found \")\""},
        {"table A { a:int (id:); }",
            "1:21: error: expected a value for the attribute but found \")\""},
        {"struct A { a:[int:x]; }",
            "1:19: error: the length of a fixed array is a number from 1 to 65535"},
        {"enum E { A }", "1:8: error: expected ':' and an integer type behind the name of the enum "
                         "but found \"{\""},
        {"enum E : byte { A B }", "1:19: error: expected ',' or '}' but found \"B\""},
        {"enum E : byte { A = }", "1:21: error: expected a value but found \"}\""},
        {"enum E : byte { A", "1:18: error: expected ',' or '}' but the file ends here"},
        {"union U : int { A }", "1:9: error: the tag of a union is always a ubyte"},
        {"union U { a.b: T }", "1:11: error: the name of a union member has no '.'"},
        {"namespace a.;", "1:13: error: expected a name behind the '.' but found \";\""},
        {"namespace a b;", "1:13: error: expected ';' behind the namespace but found \"b\""},
        {"include \"x.fbs\"",
            "1:16: error: expected ';' behind the include but the file ends here"},
        {"include x;", "1:9: error: expected the name of a file in quotes but found \"x\""},
        {"root_type;", "1:10: error: expected the name of a table but found \";\""},
        {"attribute 5;", "1:11: error: expected the name of the attribute but found \"5\""},
        {"file_identifier ABCD;",
            "1:17: error: expected four characters in quotes but found \"ABCD\""},
        {"file_extension 5;", "1:16: error: expected a file extension in quotes but found \"5\""},
        {"rpc_service S { m(A) B; }",
            "1:22: error: expected ':' before the response but found \"B\""},
        {"tabel A {}", "1:1: error: unknown declaration \"tabel\"; did you mean \"table\"?"},
        {"flob A {}", "1:1: error: expected a declaration (table, struct, enum, union, ...) but "
                      "found \"flob\""},
        {"{ a: 1 }", "1:1: error: data in JSON does not belong in a schema"},
        {"table A {}\ninclude \"b.fbs\";", "2:1: error: includes come before everything else"},
        {"42", "1:1: error: expected a declaration (table, struct, enum, union, ...) but found "
               "\"42\""},
    };

    CHECK_ALL(mistakes);
}
