/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_HASH_H
#define LAM_SCHEMA_HASH_H

/*
 * hash.h: what the type hash covers.
 *
 * Two records have the same 64-bit hash when a message of one can be read as the other with the
 * same meaning. Covered, of the record and of every type that it reaches: full names of types;
 * names, ids, types, defaults, required, key and optional of fields; offsets, sizes and alignments
 * of structs; names and numbers of enum values; names and types of union members; nested buffers.
 *
 * Not covered, so that editing them changes nothing: comments, files and their names, order of
 * declarations and of includes, order of a table's fields when ids are written, deprecated,
 * bounds (max), and attributes that no layout depends on; types that are not reached.
 *
 * Each record is hashed by itself, FNV-1a of 64 bits, with the types that it refers to by name. A
 * cycle of records hashes as one: its members' hashes in ascending order, then those of the groups
 * that it refers to, in ascending order. The hash of a record mixes its own with its group's. So
 * the cost is linear, and the declaration order does not matter. It guards against mistakes, not
 * against someone who looks for two schemas with one hash.
 */

#include "ir.h"

/* The start of every hash, and one more byte, word or text (with its length) taken in. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_word(uint64_t hash, uint64_t word);
uint64_t hash_text(uint64_t hash, const char *text);

/* What @enumeration says. */
uint64_t hash_enum(const struct schema_enum *enumeration);

/* What @record says by itself; needs ids, layout, defaults and the hashes of enums. */
uint64_t hash_record(const struct schema_record *record);

#endif
