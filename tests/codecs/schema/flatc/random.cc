/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Random schemas: every kind of declaration, field and default that both compilers know, in random
 * combination. References go back to enums and structs, as flatc wants, and anywhere to tables.
 */

#include "match.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <random>
#include <vector>

namespace
{
struct scalar {
    const char *name;
    unsigned bits;
    bool is_signed;
};

const scalar integers[] = {{"byte", 8, true}, {"ubyte", 8, false}, {"short", 16, true},
    {"uint16", 16, false}, {"int", 32, true}, {"uint32", 32, false}, {"long", 64, true},
    {"ulong", 64, false}};

class writer
{
  public:
    explicit writer(unsigned seed) : random(seed)
    {
    }

    std::string write()
    {
        table_count = 1 + pick(5);
        text = "attribute \"mine\";\n";
        enter_namespace(pick(3));
        for (unsigned i = pick(4); i > 0; i--)
            write_enum();
        for (unsigned i = pick(5); i > 0; i--)
            write_struct();
        if (pick(2) == 0)
            write_union();
        for (unsigned i = 0; i < table_count; i++)
            write_table(i);
        if (pick(2) == 0)
            text += "root_type T" + std::to_string(pick(table_count)) + ";\n";
        if (pick(2) == 0)
            text += "file_identifier \"RND" + std::to_string(pick(10)) + "\";\n";
        return text;
    }

  private:
    unsigned pick(unsigned below)
    {
        return static_cast<unsigned>(random() % below);
    }

    void enter_namespace(unsigned depth)
    {
        if (depth > 0)
            text += depth == 1 ? "namespace one;\n" : "namespace one.two;\n";
    }

    std::string number(const scalar &type)
    {
        uint64_t mask = type.bits == 64 ? UINT64_MAX : (UINT64_C(1) << type.bits) - 1;
        uint64_t value = (pick(3) == 0 ? random() % 100 : random()) & mask;
        char digits[32];

        if (type.is_signed) {
            value &= mask >> 1;
            std::snprintf(digits, sizeof(digits), "%s%" PRIu64, pick(2) ? "-" : "", value);
        } else if (type.bits == 64) {
            std::snprintf(digits, sizeof(digits), "%" PRIu64, value >> 1);
        } else {
            std::snprintf(digits, sizeof(digits), pick(2) ? "%" PRIu64 : "0x%" PRIX64, value);
        }
        return digits;
    }

    void doc(const char *indent)
    {
        for (unsigned i = pick(8); i > 6; i--)
            text += std::string(indent) + "/// Line " + std::to_string(i) + ", \"quoted\".\n";
    }

    void write_enum()
    {
        const scalar &type = integers[pick(8)];
        bool flags = !type.is_signed && pick(2) == 0;
        unsigned count = 4 + pick(4); /* reaches 0, which struct members need */
        int64_t value = flags || !type.is_signed ? 0 : -static_cast<int64_t>(pick(3));

        doc("");
        text += "enum E" + std::to_string(enum_count++) + " : " + type.name +
                (flags ? " (bit_flags)" : "") + " {";
        for (unsigned i = 0; i < count; i++) {
            text += i == 0 ? " " : ", ";
            text += "V" + std::to_string(i);
            if (pick(2) == 0 || i == 0)
                text += " = " + std::to_string(value);
            value++;
        }
        text += " }\n";
        is_flags.push_back(flags);
    }

    std::string inline_type()
    {
        switch (pick(4)) {
        case 0:
            return enum_count > 0 ? "E" + std::to_string(pick(enum_count)) : "bool";
        case 1:
            return struct_count > 0 ? "S" + std::to_string(pick(struct_count)) : "float";
        case 2:
            return pick(2) ? "double" : "float32";
        default:
            return integers[pick(8)].name;
        }
    }

    void write_struct()
    {
        unsigned count = 1 + pick(6);
        std::string body;

        for (unsigned i = 0; i < count; i++) {
            std::string type = inline_type();

            if (pick(4) == 0)
                type = "[" + type + ":" + std::to_string(1 + pick(9)) + "]";
            body += "  m" + std::to_string(i) + ":" + type + ";\n";
        }
        doc("");
        text += "struct S" + std::to_string(struct_count) +
                (pick(4) == 0 ? " (force_align: 16)" : "") + " {\n" + body + "}\n";
        struct_count++;
    }

    void write_union()
    {
        text += "union U {";
        for (unsigned i = 0; i < table_count; i++)
            text += (i == 0 ? " " : ", ") +
                    std::string(pick(2) ? "" : "Other" + std::to_string(i) + ": ") + "T" +
                    std::to_string(i);
        if (struct_count > 0)
            text += ", S0";
        text += pick(2) ? ", Words: string }\n" : " }\n";
        has_union = true;
    }

    std::string reference()
    {
        return "T" + std::to_string(pick(table_count));
    }

    std::string scalar_field()
    {
        const scalar &type = integers[pick(8)];

        switch (pick(9)) {
        case 0:
            return std::string("bool = ") + (pick(2) ? "true" : "false");
        case 1:
            return "double = " + std::to_string(static_cast<double>(random() % 1000000) / 7);
        case 2:
            return std::string(pick(2) ? "float" : "double") + (pick(2) ? " = -inf" : " = nan");
        case 3:
            return "float = 1." + std::to_string(pick(1000000)) + "e" + std::to_string(pick(30));
        case 4:
            return std::string(type.name) + " = null";
        case 5:
            return enum_field();
        case 6:
            return type.name;
        default:
            return std::string(type.name) + " = " + number(type);
        }
    }

    std::string enum_field()
    {
        unsigned which;

        if (enum_count == 0)
            return "bool";
        which = pick(enum_count);
        if (is_flags[which] && pick(2) == 0)
            return "E" + std::to_string(which);
        return "E" + std::to_string(which) + " = V0";
    }

    std::string vector_field()
    {
        switch (pick(4)) {
        case 0:
            return "[string]";
        case 1:
            return "[" + reference() + "]";
        case 2:
            return has_union && pick(2) ? "[U]" : "[ubyte]";
        default:
            return "[" + inline_type() + "]";
        }
    }

    /* Type, default and attributes of a field; its name and the ';' are the caller's. */
    std::string field()
    {
        switch (pick(6)) {
        case 0:
            return "string";
        case 1:
            return reference();
        case 2:
            return vector_field();
        case 3:
            return struct_count > 0 ? "S" + std::to_string(pick(struct_count)) : "string";
        case 4:
            return has_union ? "U" : "string";
        default:
            return scalar_field();
        }
    }

    std::string attribute(const std::string &type)
    {
        bool is_offset = type == "string" || type[0] == '[' || type[0] == 'T' || type[0] == 'S';

        switch (pick(6)) {
        case 0:
            return type == "U" ? "" : "deprecated";
        case 1:
            return is_offset ? "required" : "";
        case 2:
            return "mine: \"x\"";
        default:
            return "";
        }
    }

    /* Ids for fields of @types in random order; a union takes two, its tag's first. */
    std::vector<unsigned> random_ids(const std::vector<std::string> &types)
    {
        std::vector<unsigned> ids(types.size());
        std::vector<size_t> order(types.size());
        unsigned next = 0;

        for (size_t i = 0; i < order.size(); i++)
            order[i] = i;
        std::shuffle(order.begin(), order.end(), random);
        for (size_t i : order) {
            next += types[i] == "U" || types[i] == "[U]";
            ids[i] = next++;
        }
        return ids;
    }

    void write_table(unsigned index)
    {
        std::vector<std::string> types(pick(10));
        bool with_ids = pick(2) == 0;
        bool has_key = pick(2) != 0;

        for (std::string &type : types)
            type = field();
        std::vector<unsigned> ids = random_ids(types);
        doc("");
        text += "table T" + std::to_string(index) + " {\n";
        for (size_t i = 0; i < types.size(); i++) {
            std::string extra = attribute(types[i]);

            if (!has_key && extra.empty() && (types[i] == "string" || types[i] == "ulong")) {
                extra = "key";
                has_key = true;
            }
            if (with_ids)
                extra += (extra.empty() ? "id: " : ", id: ") + std::to_string(ids[i]);
            doc("  ");
            text += "  f" + std::to_string(i) + ":" + types[i];
            text += extra.empty() ? ";\n" : " (" + extra + ");\n";
        }
        text += "}\n";
    }

    std::mt19937_64 random;
    std::string text;
    std::vector<bool> is_flags;
    unsigned enum_count = 0;
    unsigned struct_count = 0;
    unsigned table_count = 0;
    bool has_union = false;
};
} // namespace

std::string random_schema(unsigned seed)
{
    return writer(seed).write();
}
