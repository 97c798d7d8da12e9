# SPDX-License-Identifier: Apache-2.0
# Priority lanes, and advice on sizes.
lam_criterion_test(framed_advise SOURCES test_advise.c LAYERS framed LABELS framed TIMEOUT 20)
lam_program_test(framed_advise_watches SOURCES advise_watches.c LAYERS framed LABELS framed process
  NATIVE TIMEOUT 60 ARGUMENTS $<TARGET_FILE:lamina-advise>)
lam_criterion_test(framed_lanes
  SOURCES test_lanes.c test_lanes_claims.c test_lanes_ends.c test_lanes_pressure.c
    test_lanes_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
lam_program_test(framed_lanes_saturation SOURCES lanes_saturation.c
  LAYERS framed LABELS framed process stress TIMEOUT 120)

if(NOT LAM_SANITIZED) # their allocators are their own
  lam_program_test(framed_lanes_no_allocation SOURCES lanes_no_allocation.c
    LAYERS framed LABELS framed)
endif()

if(LAMINA_WITH_EXAMPLES)
  add_test(NAME framed.example_lanes COMMAND lanes)
  lam_test_properties(framed.example_lanes TIMEOUT 20 LABELS framed process)
endif()

# With layer 1's own sources, their crash points on.
lam_crash_objects(framed)
lam_program_test(framed_lanes_crash SOURCES lanes_crash.c $<TARGET_OBJECTS:lam_framed_crash>
  LAYERS framed LABELS framed crash process TIMEOUT 120)
target_compile_definitions(framed_lanes_crash PRIVATE LAM_CRASH_POINTS=1)
target_include_directories(framed_lanes_crash PRIVATE ${PROJECT_SOURCE_DIR}/layer1-framed/src)
lam_script_test(framed_lanes_crash_labels_are_complete lanes_crash_labels.sh
  ARGUMENTS $<TARGET_FILE:framed_lanes_crash> LABELS framed crash)

# What a peer may write, as the bytes lie.
lam_program_test(framed_lanes_hostile SOURCES lanes_hostile.c
  LAYERS framed LABELS framed hostile TIMEOUT 120)
target_include_directories(framed_lanes_hostile PRIVATE ${PROJECT_SOURCE_DIR}/tests/layer0-ring
  ${PROJECT_SOURCE_DIR}/layer0-ring/src)
lam_program_test(framed_lanes_threads SOURCES lanes_threads.c
  LAYERS framed LABELS framed stress threads TIMEOUT 120)

# Each wrong change must make its suite fail.
if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  foreach(suite IN ITEMS advise lanes lanes_turns lanes_ends lanes_pressure lanes_crash
      lanes_hostile)
    add_test(NAME framed_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants)
    lam_test_properties(framed_${suite}_kills_its_mutants LABELS framed long TIMEOUT 600)
  endforeach()
endif()
