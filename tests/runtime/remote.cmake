# SPDX-License-Identifier: Apache-2.0
# memlink's protocol: its messages, and a runtime that is asked at an endpoint.
lam_criterion_test(runtime_messages SOURCES messages/test_messages.c messages/test_slices.c
  LAYERS runtime base LABELS runtime)
lam_script_test(runtime_messages_by_another_library messages/vectors.sh LABELS runtime)
lam_fuzz_test(fuzz_messages SOURCES messages/fuzz.c LAYERS runtime base LABELS runtime
  ARGUMENTS ${CMAKE_CURRENT_BINARY_DIR}/messages_corpus)
foreach(name IN ITEMS runtime_messages fuzz_messages)
  if(TARGET ${name})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
endforeach()

lam_program_test(runtime_remote SOURCES remote/remote.c LAYERS runtime base
  LABELS runtime process TIMEOUT 120)
lam_program_test(runtime_remote_trace SOURCES remote/trace.c LAYERS runtime base
  LABELS runtime process TIMEOUT 120)
lam_program_test(runtime_remote_fair SOURCES remote/fair.c remote/raw.c
  LAYERS runtime framed base LABELS runtime hostile process TIMEOUT 120)
lam_program_test(runtime_remote_streams SOURCES remote/streams.c remote/raw.c
  LAYERS runtime framed base LABELS runtime hostile process TIMEOUT 120)
lam_program_test(runtime_remote_sizes SOURCES remote/sizes.c remote/raw.c
  LAYERS runtime framed base LABELS runtime process TIMEOUT 120)
lam_program_test(runtime_remote_hostile SOURCES remote/hostile.c remote/raw.c
  LAYERS runtime framed base LABELS runtime hostile process TIMEOUT 120)
foreach(name IN ITEMS runtime_remote runtime_remote_trace runtime_remote_fair runtime_remote_streams
    runtime_remote_sizes runtime_remote_hostile)
  runtime_test(${name})
  if(TARGET ${name})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
endforeach()

if(LAMINA_WITH_EXAMPLES AND NOT LAM_THREAD_SANITIZER AND NOT LAM_FUZZER)
  add_test(NAME runtime.example_calculator COMMAND calculator_runtime)
  lam_test_properties(runtime.example_calculator TIMEOUT 20 LABELS runtime)
  set_tests_properties(runtime.example_calculator PROPERTIES
    PASS_REGULAR_EXPRESSION "add of 4 bytes, .* status 0, 10\n")
endif()

if(NOT LAM_SANITIZED)
  foreach(suite IN ITEMS messages remote remote_trace remote_fair remote_streams remote_sizes)
    add_test(NAME runtime_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants
        -DMODULES="${PROJECT_BINARY_DIR}/modules")
    lam_test_properties(runtime_${suite}_kills_its_mutants LABELS runtime long TIMEOUT 600)
  endforeach()
endif()
