# SPDX-License-Identifier: Apache-2.0
# Death at every named place: the sources of the ring and of its base, their crash points on.
lam_crash_objects(base)
lam_crash_objects(ring)
lam_program_test(ring_crash_labels
  SOURCES crash_labels.c crash/consumer_peer.c crash/leaks.c crash/list.c crash/peer.c crash/ring.c
    crash/scene_consumer.c crash/scene_group.c crash/scene_many.c crash/scene_names.c
    crash/scene_poison.c crash/scene_producer.c crash/scene_revive.c crash/stream.c
    $<TARGET_OBJECTS:lam_base_crash> $<TARGET_OBJECTS:lam_ring_crash>
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
