/* SPDX-License-Identifier: Apache-2.0 */

/*
 * services.c: the tables that rpc services and root_type lines name.
 */

#include "front.h"

#include <errno.h>

static int resolve_table(struct front *front, const char *name_space, const char *what,
    const struct draft_type *draft, const struct schema_record **record)
{
    struct schema_type type;
    int result = types_resolve_one(front, name_space, draft, &type);

    if (result != 0)
        return result;
    *record = type.record;
    if (type.kind == SCHEMA_TABLE)
        return 0;
    return schema_error_at(front->diagnostics,
        draft->whole.file != NULL ? &draft->whole : &draft->place,
        "%s must be a table, which \"%s\" is not", what,
        draft->name != NULL ? draft->name : schema_kind_name(type.kind));
}

static int resolve_service(struct front *front, struct draft_service *draft)
{
    const char *name_space = draft->service.declaration.name_space;
    struct schema_method *methods =
        arena_alloc(front->arena, draft->methods.count * sizeof(*methods));
    struct name_map names = {0};
    int result = 0;

    for (size_t i = 0; i < draft->methods.count && !front_gave_up(front); i++) {
        struct draft_method *method = draft->methods.items[i];

        if (name_map_add(front->arena, &names, method->method.name, method) != NULL)
            result = schema_error_at(front->diagnostics, &method->method.place,
                "method \"%s\" is declared a second time", method->method.name);
        if (resolve_table(front, name_space, "the request of a method", &method->request,
                &method->method.request) != 0 ||
            resolve_table(front, name_space, "the response of a method", &method->response,
                &method->method.response) != 0)
            result = -EINVAL;
        methods[i] = method->method;
    }
    draft->service.methods = methods;
    draft->service.method_count = draft->methods.count;
    return result;
}

int services_resolve(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->services.count; i++)
        if (resolve_service(front, front->services.items[i]) != 0)
            result = -EINVAL;
    return result;
}

int roots_resolve(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->roots.count && !front_gave_up(front); i++) {
        const struct draft_root *root = front->roots.items[i];
        const struct schema_record *record = NULL;

        if (resolve_table(front, root->name_space, "the root type", &root->type, &record) != 0)
            result = -EINVAL;
        else if (root->file == front->files.items[0])
            front->schema->root = record;
    }
    return result;
}
