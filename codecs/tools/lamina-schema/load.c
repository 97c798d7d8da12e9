/* SPDX-License-Identifier: Apache-2.0 */

/*
 * load.c: the passes of the front end, in order.
 */

#include "load.h"

#include "files.h"
#include "front.h"

#include <errno.h>

static int parse(struct front *front, const char *path)
{
    bool is_new = false;
    struct schema_file *file = files_open(front, NULL, path, NULL, &is_new);

    if (file == NULL)
        return -EINVAL;
    return parse_file(front, file);
}

static int check(struct front *front)
{
    static int (*const passes[])(struct front * front) = {
        enums_resolve,
        types_resolve,
        services_resolve,
        roots_resolve,
        attributes_apply,
        ids_assign,
        layout_structs,
        defaults_resolve,
    };
    /* Up to here names are looked up: one run finds all that is undefined. */
    const size_t names_count = 4;

    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        (void)passes[i](front); /* what was wrong has been counted */
        if (front_gave_up(front) || (i + 1 >= names_count && front->diagnostics->error_count > 0))
            return -EINVAL;
    }
    return 0;
}

static void finish(struct front *front)
{
    struct schema *schema = front->schema;

    schema->files = (const struct schema_file *const *)front->files.items;
    schema->file_count = front->files.count;
    schema->declarations = (const struct schema_declaration *const *)front->declarations.items;
    schema->declaration_count = front->declarations.count;
    schema->enums = (const struct schema_enum *const *)front->enums.items;
    schema->enum_count = front->enums.count;
    schema->services = (const struct schema_service *const *)front->services.items;
    schema->service_count = front->services.count;
    order_records(front);
}

int schema_load(const char *path, const struct schema_load_options *options,
    struct schema_diagnostics *diagnostics, struct schema **schema)
{
    static const struct schema_load_options defaults = {0};
    unsigned errors_before = diagnostics->error_count;
    struct schema_arena *arena = arena_create();
    struct front front = {
        .arena = arena,
        .diagnostics = diagnostics,
        .options = options != NULL ? options : &defaults,
    };
    int result;

    front.schema = arena_alloc(arena, sizeof(*front.schema));
    front.schema->arena = arena;
    front.schema->file_extension = "";
    result = parse(&front, path);
    if (result == 0 && !front_gave_up(&front))
        result = check(&front);
    if (result != 0 || diagnostics->error_count > errors_before) {
        arena_destroy(arena);
        return -EINVAL;
    }
    finish(&front);
    *schema = front.schema;
    return 0;
}
