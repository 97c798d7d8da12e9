# SPDX-License-Identifier: Apache-2.0
# Priority lanes.
lam_criterion_test(framed_lanes
  SOURCES test_lanes.c test_lanes_ends.c test_lanes_pressure.c test_lanes_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
