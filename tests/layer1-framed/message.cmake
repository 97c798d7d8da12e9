# SPDX-License-Identifier: Apache-2.0
# Messages: deaths at every named place, hostile bytes.
# With layer 1's own sources, their crash points on.
lam_crash_objects(framed)
lam_program_test(framed_frames_crash
  SOURCES frames_crash.c frames_crash_scenes.c frames_crash_stream.c
    $<TARGET_OBJECTS:lam_framed_crash>
  LAYERS framed LABELS framed crash process TIMEOUT 300)
target_compile_definitions(framed_frames_crash PRIVATE LAM_CRASH_POINTS=1)
target_include_directories(framed_frames_crash PRIVATE ${PROJECT_SOURCE_DIR}/layer1-framed/src)
lam_script_test(framed_frames_crash_labels_are_complete frames_crash_labels.sh
  ARGUMENTS $<TARGET_FILE:framed_frames_crash> LABELS framed crash)

lam_program_test(framed_hostile_frames SOURCES hostile_frames.c
  LAYERS framed LABELS framed hostile process TIMEOUT 300)
lam_program_test(framed_many_threads SOURCES stress_many.c
  LAYERS framed LABELS framed threads TIMEOUT 120)
lam_fuzz_test(fuzz_framed_frames SOURCES fuzz_frames.c LAYERS framed LABELS framed
  ARGUMENTS -len_control=0 -max_len=256)
lam_script_test(framed_public_names public_names.sh ARGUMENTS ${CMAKE_C_COMPILER} LABELS framed)

# Each wrong change of the layer must make its suite fail.
if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  foreach(suite IN ITEMS message frames_crash hostile_frames)
    add_test(NAME framed_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants)
    lam_test_properties(framed_${suite}_kills_its_mutants LABELS framed long TIMEOUT 600)
  endforeach()
endif()
