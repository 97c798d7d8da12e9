# SPDX-License-Identifier: Apache-2.0
# Requests and replies, scatter and gather, many channels behind one wait.
lam_criterion_test(framed_calls
  SOURCES test_call_cuts.c test_call_hostile.c test_call_successor.c test_call_table.c test_calls.c
    test_held.c test_scatter.c test_scatter_large.c test_service.c test_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
if(NOT LAM_SANITIZED) # their allocators are their own
  lam_program_test(framed_call_no_allocation SOURCES call_no_allocation.c
    LAYERS framed LABELS framed)
endif()
lam_program_test(framed_call_processes SOURCES call_processes.c
  LAYERS framed LABELS framed process TIMEOUT 120)

if(LAMINA_WITH_EXAMPLES)
  foreach(example IN ITEMS rpc scheduler)
    add_test(NAME framed.example_${example} COMMAND ${example})
    lam_test_properties(framed.example_${example} TIMEOUT 30 LABELS framed process)
  endforeach()
endif()

# Death at every named place of a call: the sources of layer 1 and below, their crash points on.
foreach(layer IN ITEMS base ring framed)
  lam_crash_objects(${layer})
endforeach()
lam_program_test(framed_call_crash SOURCES call_crash.c
    $<TARGET_OBJECTS:lam_base_crash> $<TARGET_OBJECTS:lam_ring_crash>
    $<TARGET_OBJECTS:lam_framed_crash>
  LAYERS framed LABELS framed crash process TIMEOUT 300)
target_compile_definitions(framed_call_crash PRIVATE LAM_CRASH_POINTS=1)
target_include_directories(framed_call_crash PRIVATE
  ${PROJECT_SOURCE_DIR}/layer1-framed/src ${PROJECT_SOURCE_DIR}/layer0-ring/src
  ${PROJECT_SOURCE_DIR}/layer0-ring/base/src)

lam_program_test(framed_call_threads SOURCES call_threads.c
  LAYERS framed LABELS framed threads TIMEOUT 120)
lam_program_test(framed_call_model SOURCES call_model.c
  LAYERS framed LABELS framed TIMEOUT 120)

if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  foreach(suite IN ITEMS call_crash call_hostile call_model call_successor calls replies)
    add_test(NAME framed_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants)
    lam_test_properties(framed_${suite}_kills_its_mutants LABELS framed long TIMEOUT 600)
  endforeach()
endif()
