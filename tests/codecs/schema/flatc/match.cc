/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What flatc 2.0.8 is known to lose is not compared: the order of declarations, defaults of ulong
 * above INT64_MAX (it stores 0), the sign of -0.0, sizes and alignments of tables (they have none).
 */

#include "match.h"

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <flatbuffers/reflection_generated.h>

namespace
{
struct matching {
    const char *name;
    unsigned differences;
};

__attribute__((format(printf, 3, 4))) void expect(matching &m, bool same, const char *format, ...)
{
    va_list arguments;

    if (same)
        return;
    m.differences++;
    std::printf("%s: ", m.name);
    va_start(arguments, format);
    std::vprintf(format, arguments);
    va_end(arguments);
    std::printf("\n");
}

reflection::BaseType base_type(const schema_type &type, schema_kind kind)
{
    static const reflection::BaseType types[] = {reflection::None, reflection::Bool,
        reflection::Byte, reflection::UByte, reflection::Short, reflection::UShort, reflection::Int,
        reflection::UInt, reflection::Long, reflection::ULong, reflection::Float,
        reflection::Double, reflection::String, reflection::Obj, reflection::Obj, reflection::Union,
        reflection::Vector, reflection::Array};

    if (kind == SCHEMA_U8 && type.enumeration != nullptr && type.enumeration->is_union)
        return reflection::UType;
    return types[kind];
}

/* Name of what @theirs refers to by index, "" when it is built in. */
const char *referred(const reflection::Schema *all, const reflection::Type *theirs)
{
    reflection::BaseType leaf = theirs->base_type();

    if (leaf == reflection::Vector || leaf == reflection::Array)
        leaf = theirs->element();
    if (theirs->index() < 0)
        return "";
    if (leaf == reflection::Obj)
        return all->objects()->Get(static_cast<unsigned>(theirs->index()))->name()->c_str();
    return all->enums()->Get(static_cast<unsigned>(theirs->index()))->name()->c_str();
}

void match_type(matching &m, const char *where, const schema_type &ours,
    const reflection::Schema *all, const reflection::Type *theirs)
{
    const char *name = "";

    if (ours.record != nullptr)
        name = ours.record->declaration.full_name;
    else if (ours.enumeration != nullptr)
        name = ours.enumeration->declaration.full_name;
    expect(m, base_type(ours, ours.kind) == theirs->base_type(), "%s: kind %d, flatc %d", where,
        ours.kind, theirs->base_type());
    expect(m, base_type(ours, ours.element) == theirs->element(), "%s: element %d, flatc %d", where,
        ours.element, theirs->element());
    expect(m, ours.array_count == theirs->fixed_length(), "%s: length %u, flatc %u", where,
        ours.array_count, theirs->fixed_length());
    expect(m, std::strcmp(name, referred(all, theirs)) == 0, "%s: type %s, flatc %s", where, name,
        referred(all, theirs));
}

void match_docs(matching &m, const char *where, const schema_docs &ours,
    const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *theirs)
{
    size_t count = theirs == nullptr ? 0 : theirs->size();

    expect(m, ours.count == count, "%s: %zu comments, flatc %zu", where, ours.count, count);
    for (size_t i = 0; i < ours.count && i < count; i++) {
        const char *text = theirs->Get(static_cast<unsigned>(i))->c_str();

        text += *text == ' '; /* we leave one blank out */
        expect(m, std::strcmp(ours.lines[i], text) == 0, "%s: comment \"%s\", flatc \"%s\"", where,
            ours.lines[i], text);
    }
}

void match_default(
    matching &m, const char *where, const schema_field &ours, const reflection::Field *theirs)
{
    if (schema_kind_is_float(ours.type.kind)) {
        double value = schema_default_double(&ours);

        expect(m,
            value == theirs->default_real() ||
                (ours.type.kind == SCHEMA_F32 &&
                    value == static_cast<double>(static_cast<float>(theirs->default_real()))) ||
                (std::isnan(value) && std::isnan(theirs->default_real())),
            "%s: default %.17g, flatc %.17g", where, value, theirs->default_real());
        return;
    }
    if (!schema_kind_is_scalar(ours.type.kind))
        return;
    if (ours.type.kind == SCHEMA_U64 && ours.default_bits > INT64_MAX)
        return;
    expect(m, static_cast<int64_t>(ours.default_bits) == theirs->default_integer(),
        "%s: default %lld, flatc %lld", where, static_cast<long long>(ours.default_bits),
        static_cast<long long>(theirs->default_integer()));
}

void match_field(matching &m, const schema_record &record, const schema_field &ours,
    const reflection::Schema *all, const reflection::Field *theirs)
{
    std::string name = std::string(record.declaration.full_name) + "." + ours.name;
    const char *where = name.c_str();
    unsigned offset = record.is_struct ? ours.offset : ours.vtable_offset;

    match_type(m, where, ours.type, all, theirs->type());
    expect(
        m, offset == theirs->offset(), "%s: offset %u, flatc %u", where, offset, theirs->offset());
    expect(
        m, ours.deprecated == theirs->deprecated() || ours.is_union_tag, "%s: deprecated", where);
    expect(m, ours.key == theirs->key(), "%s: key", where);
    if (record.is_struct) {
        expect(m, ours.padding_after == theirs->padding(), "%s: padding %u, flatc %u", where,
            ours.padding_after, theirs->padding());
        return;
    }
    expect(m, ours.id == theirs->id(), "%s: id %u, flatc %u", where, ours.id, theirs->id());
    expect(m, ours.required == theirs->required() || ours.is_union_tag, "%s: required", where);
    expect(m, !schema_kind_is_scalar(ours.type.kind) || ours.optional == theirs->optional(),
        "%s: optional", where);
    if (!ours.is_union_tag)
        match_docs(m, where, ours.docs, theirs->documentation());
    match_default(m, where, ours, theirs);
}

void match_record(matching &m, const schema_record &ours, const reflection::Schema *all)
{
    const char *name = ours.declaration.full_name;
    const reflection::Object *theirs = all->objects()->LookupByKey(name);

    expect(m, theirs != nullptr, "flatc has no %s", name);
    if (theirs == nullptr)
        return;
    expect(m, ours.is_struct == theirs->is_struct(), "%s: is_struct", name);
    if (ours.is_struct) {
        expect(m, ours.size == static_cast<uint32_t>(theirs->bytesize()), "%s: size %u, flatc %d",
            name, ours.size, theirs->bytesize());
        expect(m, ours.align == static_cast<uint32_t>(theirs->minalign()), "%s: align %u, flatc %d",
            name, ours.align, theirs->minalign());
    }
    match_docs(m, name, ours.declaration.docs, theirs->documentation());
    expect(m, ours.field_count == theirs->fields()->size(), "%s: %zu fields, flatc %u", name,
        ours.field_count, theirs->fields()->size());
    for (size_t i = 0; i < ours.field_count; i++) {
        const reflection::Field *field = theirs->fields()->LookupByKey(ours.fields[i]->name);

        expect(m, field != nullptr, "flatc has no %s.%s", name, ours.fields[i]->name);
        if (field != nullptr)
            match_field(m, ours, *ours.fields[i], all, field);
    }
}

const reflection::EnumVal *find_value(const reflection::Enum *all, const char *name)
{
    for (const reflection::EnumVal *value : *all->values())
        if (std::strcmp(value->name()->c_str(), name) == 0)
            return value;
    return nullptr;
}

void match_enum(matching &m, const schema_enum &ours, const reflection::Schema *all)
{
    const char *name = ours.declaration.full_name;
    const reflection::Enum *theirs = all->enums()->LookupByKey(name);

    expect(m, theirs != nullptr, "flatc has no %s", name);
    if (theirs == nullptr)
        return;
    expect(m, ours.is_union == theirs->is_union(), "%s: is_union", name);
    expect(m,
        ours.is_union ||
            base_type(schema_type{}, ours.underlying) == theirs->underlying_type()->base_type(),
        "%s: underlying %d", name, ours.underlying);
    match_docs(m, name, ours.declaration.docs, theirs->documentation());
    expect(m, ours.value_count == theirs->values()->size(), "%s: %zu values, flatc %u", name,
        ours.value_count, theirs->values()->size());
    for (size_t i = 0; i < ours.value_count; i++) {
        const schema_enum_value &value = ours.values[i];
        const reflection::EnumVal *other = find_value(theirs, value.name);

        expect(m, other != nullptr, "flatc has no %s.%s", name, value.name);
        if (other == nullptr)
            continue;
        expect(m, static_cast<int64_t>(value.bits) == other->value(), "%s.%s: %lld, flatc %lld",
            name, value.name, static_cast<long long>(value.bits),
            static_cast<long long>(other->value()));
        if (ours.is_union)
            match_type(m, value.name, value.type, all, other->union_type());
    }
}

const char *text_of(const flatbuffers::String *text)
{
    return text == nullptr ? "" : text->c_str();
}
} // namespace

unsigned match_schema(const char *name, const schema *ours, const std::string &bfbs)
{
    matching m = {name, 0};
    flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(bfbs.data()), bfbs.size());

    if (!reflection::VerifySchemaBuffer(verifier)) {
        expect(m, false, "flatc wrote no valid .bfbs");
        return m.differences;
    }
    const reflection::Schema *theirs = reflection::GetSchema(bfbs.data());
    const char *root = ours->root == nullptr ? "" : ours->root->declaration.full_name;
    size_t services = theirs->services() == nullptr ? 0 : theirs->services()->size();

    expect(m, ours->record_count == theirs->objects()->size(), "%zu records, flatc %u",
        ours->record_count, theirs->objects()->size());
    expect(m, ours->enum_count == theirs->enums()->size(), "%zu enums, flatc %u", ours->enum_count,
        theirs->enums()->size());
    expect(m, ours->service_count == services, "%zu services, flatc %zu", ours->service_count,
        services);
    for (size_t i = 0; i < ours->record_count; i++)
        match_record(m, *ours->order[i], theirs);
    for (size_t i = 0; i < ours->enum_count; i++)
        match_enum(m, *ours->enums[i], theirs);
    expect(m,
        std::strcmp(root,
            theirs->root_table() == nullptr ? "" : text_of(theirs->root_table()->name())) == 0,
        "root %s", root);
    expect(m, std::strcmp(ours->file_identifier, text_of(theirs->file_ident())) == 0,
        "identifier %s, flatc %s", ours->file_identifier, text_of(theirs->file_ident()));
    expect(m, std::strcmp(ours->file_extension, text_of(theirs->file_ext())) == 0,
        "extension %s, flatc %s", ours->file_extension, text_of(theirs->file_ext()));
    return m.differences;
}
