# lam_criterion_test(NAME SOURCES ... LAYERS ... LINK ... LABELS ... TIMEOUT s): units, by Criterion.
# lam_program_test(NAME SOURCES ... LAYERS ... LINK ... LABELS ... TIMEOUT s ARGUMENTS ...): a plain
# program; exit 0 is a pass, 77 a skip whose reason is its last line of output.
#
# Labels name the layer and the kind. Every test has a time limit.

find_package(PkgConfig REQUIRED)
pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)

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

function(lam_test_properties name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" SKIP_RETURN_CODE 77
    FAIL_REGULAR_EXPRESSION
      "ERROR: (Address|Leak)Sanitizer;WARNING: ThreadSanitizer;runtime error:")
endfunction()

function(lam_criterion_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LAYERS;LINK;LABELS")
  lam_test_executable(${name} SOURCES ${arg_SOURCES} LAYERS ${arg_LAYERS}
    LINK PkgConfig::CRITERION ${arg_LINK})
  add_test(NAME ${name} COMMAND ${name} -j1)
  lam_test_properties(${name} TIMEOUT "${arg_TIMEOUT}" LABELS ${arg_LABELS})
endfunction()

function(lam_program_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LAYERS;LINK;LABELS;ARGUMENTS")
  lam_test_executable(${name} SOURCES ${arg_SOURCES} LAYERS ${arg_LAYERS} LINK ${arg_LINK})
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGUMENTS})
  lam_test_properties(${name} TIMEOUT "${arg_TIMEOUT}" LABELS ${arg_LABELS})
endfunction()
