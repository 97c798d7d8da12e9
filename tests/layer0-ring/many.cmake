# SPDX-License-Identifier: Apache-2.0
# One ring for many producers.
lam_criterion_test(ring_many_policies SOURCES test_many_policies.c LAYERS ring LABELS ring)
lam_program_test(ring_many_threads SOURCES stress_many.c LAYERS ring LABELS ring stress threads)
lam_program_test(ring_many_processes SOURCES many_processes.c LAYERS ring LABELS ring stress crash
  TIMEOUT 120)

# With the ring's own sources, their crash points on.
lam_crash_objects(ring)
lam_program_test(ring_many_crash SOURCES many_crash.c $<TARGET_OBJECTS:lam_ring_crash> LAYERS ring
  LABELS ring crash TIMEOUT 120)
lam_program_test(ring_many_holes SOURCES many_holes.c $<TARGET_OBJECTS:lam_ring_crash> LAYERS ring
  LABELS ring crash TIMEOUT 120)
foreach(test IN ITEMS ring_many_crash ring_many_holes)
  target_compile_definitions(${test} PRIVATE LAM_CRASH_POINTS=1)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/layer0-ring/src)
endforeach()

if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  foreach(suite IN ITEMS many holes)
    add_test(NAME ring_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants)
    lam_test_properties(ring_${suite}_kills_its_mutants LABELS ring crash long TIMEOUT 600)
  endforeach()
endif()
