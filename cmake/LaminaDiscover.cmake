# SPDX-License-Identifier: Apache-2.0
# Run after a Criterion program is built: asks it for its tests and writes one CTest entry for each.
#
# Criterion ends with "Tested: 0" and success when a test skipped itself, and also when it is
# disabled or when no test has the name. The first was run and says "[SKIP] suite::test: reason": a
# skip. The others were not run, and fail.
# Needs PROGRAM NAME OUT TIMEOUT LABELS SERIAL ENVIRONMENT REPORTS.

# A leak in the listing itself is of no interest; the entries below run with the check on.
set(ENV{ASAN_OPTIONS} "detect_leaks=0")
set(ENV{LC_ALL} C)
execute_process(COMMAND ${PROGRAM} --list
  OUTPUT_VARIABLE listing ERROR_VARIABLE trouble RESULT_VARIABLE code TIMEOUT 60)
if(NOT code EQUAL 0)
  file(REMOVE ${PROGRAM}) # or the next build would take it for finished
  message(FATAL_ERROR "${NAME} --list ended with ${code}: ${trouble}")
endif()

set(text "# made by LaminaDiscover.cmake\n")
set(found 0)
string(REPLACE "\n" ";" lines "${listing}")
foreach(line IN LISTS lines)
  if(line MATCHES "^([A-Za-z0-9_]+): [0-9]+ tests?$")
    set(suite ${CMAKE_MATCH_1})
  elseif(line MATCHES "-- ([A-Za-z0-9_]+)")
    set(test ${CMAKE_MATCH_1})
    set(entry ${NAME}.${suite}.${test})
    math(EXPR found "${found} + 1")
    string(APPEND text
      "add_test([==[${entry}]==] [==[${PROGRAM}]==] "
      "--filter ${suite}/${test} -j1 --verbose=1)\n"
      "set_tests_properties([==[${entry}]==] PROPERTIES TIMEOUT ${TIMEOUT} "
      "LABELS [==[${LABELS}]==] RUN_SERIAL \"${SERIAL}\" "
      "ENVIRONMENT [==[${ENVIRONMENT}]==] "
      "SKIP_REGULAR_EXPRESSION "
      "[==[\\[RUN \\] ${suite}::${test}\n.*\\[SKIP\\] ${suite}::${test}: "
      ".*Tested: 0 .*Failing: 0 .*Crashing: 0 ]==] "
      "FAIL_REGULAR_EXPRESSION [==[${REPORTS};Tested: 0 ]==])\n")
  endif()
endforeach()
if(found EQUAL 0)
  file(REMOVE ${PROGRAM})
  message(FATAL_ERROR "${NAME} has no test: ${listing}")
endif()
file(WRITE ${OUT} "${text}")
