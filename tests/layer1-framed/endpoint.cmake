# SPDX-License-Identifier: Apache-2.0
# Daemons and their clients.
lam_criterion_test(framed_endpoint
  SOURCES endpoint/test_between.c endpoint/test_clients.c endpoint/test_large.c
    endpoint/test_misuse.c endpoint/test_place.c endpoint/test_rejoin.c endpoint/test_requests.c
    endpoint/test_through.c endpoint/test_wants.c endpoint/test_welcome.c endpoint/test_wire.c
  LAYERS framed LABELS framed process TIMEOUT 60)

# NATIVE: they fork while they have threads, which the emulators of other machines do not bear.
lam_program_test(framed_endpoint_kills SOURCES endpoint/kills.c NATIVE
  LAYERS framed LABELS framed crash TIMEOUT 300)

# With layer 1's own sources, their crash points on.
lam_crash_objects(framed)
lam_program_test(framed_endpoint_crash
  SOURCES endpoint/crash_labels.c $<TARGET_OBJECTS:lam_framed_crash> NATIVE
  LAYERS framed LABELS framed crash TIMEOUT 120)
if(TARGET framed_endpoint_crash)
  target_compile_definitions(framed_endpoint_crash PRIVATE LAM_CRASH_POINTS=1)
  target_include_directories(framed_endpoint_crash PRIVATE ${PROJECT_SOURCE_DIR}/layer1-framed/src)
  lam_script_test(framed_endpoint_crash_labels_are_complete endpoint/crash_labels.sh
    ARGUMENTS $<TARGET_FILE:framed_endpoint_crash> LABELS framed crash)
endif()
lam_program_test(framed_endpoint_hostile SOURCES endpoint/hostile.c NATIVE
  LAYERS framed LABELS framed hostile TIMEOUT 300)
lam_program_test(framed_endpoint_pid_spaces SOURCES endpoint/pid_spaces.c NATIVE
  LAYERS framed LABELS framed crash)
if(NOT LAM_SANITIZED) # their allocators are their own
  lam_program_test(framed_endpoint_no_allocation SOURCES endpoint/no_allocation.c NATIVE
    LAYERS framed LABELS framed)
endif()

if(LAMINA_WITH_EXAMPLES)
  foreach(use IN ITEMS market game services plugins sensors)
    add_test(NAME framed.example_${use} COMMAND use_${use})
    lam_test_properties(framed.example_${use} TIMEOUT 20 LABELS framed process)
  endforeach()
  lam_script_test(framed.example_by_name by_name.sh
    ARGUMENTS $<TARGET_FILE:by_name_send> $<TARGET_FILE:by_name_receive>
    LABELS framed process TIMEOUT 30)
  # In two terminals, or here in one.
  lam_script_test(framed.example_endpoint_ping endpoint/ping.sh
    ARGUMENTS $<TARGET_FILE:endpoint_ping> LABELS framed process TIMEOUT 30)
endif()

# Alone, each daemon of a test counts from before another wrap, the first from before 64 bits.
if(NOT CMAKE_CROSSCOMPILING AND NOT LAM_THREAD_SANITIZER AND NOT LAM_FUZZER)
  foreach(bits IN ITEMS 32 63)
    add_test(NAME framed_endpoint_from_${bits}_bits COMMAND framed_endpoint)
    lam_test_properties(framed_endpoint_from_${bits}_bits LABELS framed long TIMEOUT 120)
    set_property(TEST framed_endpoint_from_${bits}_bits
      APPEND PROPERTY ENVIRONMENT LAMINA_TEST_START=${bits})
  endforeach()
endif()

lam_fuzz_test(fuzz_endpoint SOURCES endpoint/fuzz_endpoint.c LAYERS framed LABELS framed
  ARGUMENTS -max_len=300)

if(NOT LAM_SANITIZED AND NOT CMAKE_CROSSCOMPILING)
  foreach(suite IN ITEMS between clients large misuse place rejoin requests through wants welcome
      wire)
    add_test(NAME framed_endpoint_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/endpoint/${suite}.mutants)
    lam_test_properties(framed_endpoint_${suite}_kills_its_mutants LABELS framed long TIMEOUT 600)
  endforeach()
endif()
