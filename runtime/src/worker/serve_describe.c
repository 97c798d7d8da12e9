/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "worker/serving.h"

static void describe_needs(struct link_dependency *dependencies)
{
    const struct lam_needs *needs = &serving.generation.needs;

    for (uint32_t i = 0; i < needs->count; i++) {
        memset(&dependencies[i], 0, sizeof(dependencies[i]));
        dependencies[i].flags = needs->all[i].is_optional ? LAM_DEPENDENCY_OPTIONAL : 0;
        memcpy(dependencies[i].name, needs->all[i].name, sizeof(dependencies[i].name));
        memcpy(dependencies[i].range, needs->all[i].text, sizeof(dependencies[i].range));
    }
}

void serving_describe(uint8_t *bytes, uint64_t *count)
{
    const struct lam_descriptor *descriptor = serving.generation.descriptor;
    struct link_description said = {.features = descriptor->features,
        .version = descriptor->version,
        .method_count = descriptor->method_count,
        .dependency_count = descriptor->dependency_count};
    struct link_method *methods = (void *)(bytes + sizeof(said));

    memcpy(said.name, descriptor->name, strlen(descriptor->name)); /* it was checked */
    memcpy(bytes, &said, sizeof(said));
    for (uint32_t i = 0; i < said.method_count; i++) {
        memset(&methods[i], 0, sizeof(methods[i]));
        methods[i].id = descriptor->methods[i].id;
        methods[i].flags = descriptor->methods[i].flags;
        memcpy(methods[i].name, descriptor->methods[i].name, strlen(descriptor->methods[i].name));
    }
    describe_needs((void *)(methods + said.method_count));
    *count = sizeof(said) + said.method_count * sizeof(*methods) +
             said.dependency_count * sizeof(struct link_dependency);
}
