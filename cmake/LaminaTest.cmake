# SPDX-License-Identifier: Apache-2.0
# lam_criterion_test(NAME SOURCES ... LAYERS ... LINK ... LABELS ... TIMEOUT s SERIAL): units. Each
# Criterion test becomes a CTest entry NAME.suite.test, found by running the built program.
# lam_program_test(NAME SOURCES ... LAYERS ... LINK ... LABELS ... TIMEOUT s ARGUMENTS ... SERIAL
# NATIVE): a plain program; exit 0 is a pass, 77 a skip whose reason is its last line of output.
# NATIVE ones start commands of the tree: they are left out where those are another machine's.
#
# lam_script_test(NAME SCRIPT ARGUMENTS ... LABELS ... TIMEOUT s SERIAL): a shell script of the
# source tree, by the same rules.
#
# Labels name the layer and the kind; "long" is left to ./dev test --all, "threads" is what runs
# under ThreadSanitizer. SERIAL tests run alone. Every test has a time limit.
#
# Each test finds in its environment LAMINA_BIN (the folder of the commands), LAMINA_SOURCE (the
# tree) and LAMINA_RUN_DIR (for sockets, apart for each preset).

# Criterion is this machine's: where another's programs are built, the plain programs are tested.
if(NOT CMAKE_CROSSCOMPILING)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/run)

set(LAM_TEST_ENVIRONMENT
  LAMINA_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
  LAMINA_SOURCE=${PROJECT_SOURCE_DIR}
  LAMINA_RUN_DIR=${PROJECT_BINARY_DIR}/run)
# A sanitizer's report fails a test whatever its exit code: Criterion passes a test that leaks.
set(LAM_TEST_REPORTS
  "ERROR: (Address|Leak)Sanitizer" "WARNING: ThreadSanitizer" "runtime error:")

function(lam_test_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LAYERS;LINK")
  list(TRANSFORM arg_LAYERS PREPEND "lamina::")
  add_executable(${name} ${arg_SOURCES})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${name} PRIVATE ${arg_LAYERS} ${arg_LINK} lam_warnings)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

# lam_test_properties(NAME TIMEOUT s LABELS ... SERIAL): what every CTest entry gets.
function(lam_test_properties name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  if(CMAKE_CROSSCOMPILING)
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}") # an emulator is that much slower
  endif()
  if("long" IN_LIST arg_LABELS)
    set_tests_properties(${name} PROPERTIES COST 100) # begun first: none is left alone at the end
  endif()
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" RUN_SERIAL "${arg_SERIAL}"
    SKIP_RETURN_CODE 77 ENVIRONMENT "${LAM_TEST_ENVIRONMENT}"
    FAIL_REGULAR_EXPRESSION "${LAM_TEST_REPORTS}")
endfunction()

function(lam_criterion_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "SOURCES;LAYERS;LINK;LABELS")
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  lam_test_executable(${name} SOURCES ${arg_SOURCES} LAYERS ${arg_LAYERS}
    LINK PkgConfig::CRITERION ${arg_LINK})
  if(LAM_THREAD_SANITIZER OR LAM_FUZZER)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()

  # The list of tests is in the program: asked for after each build, read by CTest at each run.
  set(entries ${CMAKE_CURRENT_BINARY_DIR}/${name}-entries.cmake)
  add_custom_command(TARGET ${name} POST_BUILD
    BYPRODUCTS ${entries}
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${name}> -D NAME=${name} -D OUT=${entries}
      -D TIMEOUT=${arg_TIMEOUT} -D "LABELS=${arg_LABELS}" -D "SERIAL=${arg_SERIAL}"
      -D "ENVIRONMENT=${LAM_TEST_ENVIRONMENT}" -D "REPORTS=${LAM_TEST_REPORTS}"
      -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/LaminaDiscover.cmake
    VERBATIM)
  set(include_file ${CMAKE_CURRENT_BINARY_DIR}/${name}-include.cmake)
  file(WRITE ${include_file}
    "if(EXISTS [==[${entries}]==])\n  include([==[${entries}]==])\nelse()\n"
    "  add_test(${name} ${name}_is_not_built)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include_file})
endfunction()

function(lam_program_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL;NATIVE" "TIMEOUT"
    "SOURCES;LAYERS;LINK;LABELS;ARGUMENTS")
  if(CMAKE_CROSSCOMPILING AND (arg_LINK OR arg_NATIVE))
    return() # another machine's library, or its commands
  endif()
  lam_test_executable(${name} SOURCES ${arg_SOURCES} LAYERS ${arg_LAYERS} LINK ${arg_LINK})
  if(LAM_FUZZER OR (LAM_THREAD_SANITIZER AND NOT "threads" IN_LIST arg_LABELS))
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGUMENTS})
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  lam_test_properties(${name} TIMEOUT "${arg_TIMEOUT}" LABELS ${arg_LABELS} ${serial})
endfunction()

function(lam_script_test name script)
  cmake_parse_arguments(PARSE_ARGV 2 arg "SERIAL" "TIMEOUT" "LABELS;ARGUMENTS")
  if(LAM_THREAD_SANITIZER OR LAM_FUZZER OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGUMENTS})
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  lam_test_properties(${name} TIMEOUT "${arg_TIMEOUT}" LABELS ${arg_LABELS} ${serial})
endfunction()

# lam_crash_objects(LAYER): the object library lam_LAYER_crash: the layer's own sources once more,
# their crash points on, for all programs that put them before the layer.
function(lam_crash_objects layer)
  if(TARGET lam_${layer}_crash)
    return()
  endif()
  get_target_property(sources lam_${layer} SOURCES)
  get_target_property(folder lam_${layer} SOURCE_DIR)
  list(FILTER sources INCLUDE REGEX "\\.c$")
  list(TRANSFORM sources PREPEND ${folder}/)
  add_library(lam_${layer}_crash OBJECT EXCLUDE_FROM_ALL ${sources})
  target_compile_definitions(lam_${layer}_crash PRIVATE _GNU_SOURCE LAM_CRASH_POINTS=1)
  target_include_directories(lam_${layer}_crash PRIVATE ${folder}/src)
  target_link_libraries(lam_${layer}_crash PRIVATE lamina::${layer} lam_warnings)
endfunction()

# lam_fuzz_test(NAME SOURCES ... LAYERS ... LINK ... LABELS ... ARGUMENTS ...): a libFuzzer target.
# Made by the fuzz preset only; CTest runs it for a moment from one seed, a person for as long as
# they like. ARGUMENTS come last, and so before the usual ones.
function(lam_fuzz_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LAYERS;LINK;LABELS;ARGUMENTS")
  if(NOT LAM_FUZZER)
    return()
  endif()
  lam_test_executable(${name} SOURCES ${arg_SOURCES} LAYERS ${arg_LAYERS} LINK ${arg_LINK})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME ${name}
    COMMAND ${name} -seed=1 -runs=20000 -max_len=4096 -timeout=10 -rss_limit_mb=1024
      ${arg_ARGUMENTS})
  lam_test_properties(${name} LABELS ${arg_LABELS} fuzz TIMEOUT 300)
endfunction()
