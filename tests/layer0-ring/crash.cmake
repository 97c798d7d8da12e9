# SPDX-License-Identifier: Apache-2.0
# Death at every named place: the sources of the ring and of its base, their crash points on.
get_target_property(base_sources lam_base SOURCES)
list(FILTER base_sources INCLUDE REGEX "\\.c$")
list(TRANSFORM base_sources PREPEND ${PROJECT_SOURCE_DIR}/layer0-ring/base/)
get_target_property(ring_sources lam_ring SOURCES)
list(FILTER ring_sources INCLUDE REGEX "\\.c$")
list(TRANSFORM ring_sources PREPEND ${PROJECT_SOURCE_DIR}/layer0-ring/)
lam_program_test(ring_crash_labels
  SOURCES crash_labels.c crash/consumer_peer.c crash/leaks.c crash/list.c crash/peer.c crash/ring.c
    crash/scene_consumer.c crash/scene_group.c crash/scene_many.c crash/scene_names.c
    crash/scene_poison.c crash/scene_producer.c crash/scene_revive.c crash/stream.c
    ${base_sources} ${ring_sources}
  LAYERS ring LABELS ring crash TIMEOUT 600)
target_compile_definitions(ring_crash_labels PRIVATE LAM_CRASH_POINTS=1)
target_include_directories(ring_crash_labels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/crash
  ${PROJECT_SOURCE_DIR}/layer0-ring/src ${PROJECT_SOURCE_DIR}/layer0-ring/base/src)

lam_script_test(ring_crash_labels_are_complete crash_labels.sh
  ARGUMENTS $<TARGET_FILE:ring_crash_labels> LABELS ring crash)

if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME ring_crash_labels_kills_its_mutants
    COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
      ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/crash_labels.mutants)
  lam_test_properties(ring_crash_labels_kills_its_mutants LABELS ring crash long TIMEOUT 600)
endif()
