# SPDX-License-Identifier: Apache-2.0
# Requests and replies, scatter and gather, many channels behind one wait.
lam_criterion_test(framed_calls
  SOURCES test_call_table.c test_calls.c test_scatter.c test_service.c test_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
