# SPDX-License-Identifier: Apache-2.0
# Requests and replies, scatter and gather, many channels behind one wait.
lam_criterion_test(framed_calls
  SOURCES test_call_table.c test_calls.c test_scatter.c test_service.c test_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
lam_program_test(framed_call_processes SOURCES call_processes.c
  LAYERS framed LABELS framed process TIMEOUT 120)

if(LAMINA_WITH_EXAMPLES)
  foreach(example IN ITEMS rpc scheduler)
    add_test(NAME framed.example_${example} COMMAND ${example})
    lam_test_properties(framed.example_${example} TIMEOUT 30 LABELS framed process)
  endforeach()
endif()
