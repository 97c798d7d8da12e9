# SPDX-License-Identifier: Apache-2.0
# Priority lanes, and advice on sizes.
lam_criterion_test(framed_advise SOURCES test_advise.c LAYERS framed LABELS framed TIMEOUT 20)
lam_program_test(framed_advise_watches SOURCES advise_watches.c LAYERS framed LABELS framed process
  NATIVE TIMEOUT 60 ARGUMENTS $<TARGET_FILE:lamina-advise>)
lam_criterion_test(framed_lanes
  SOURCES test_lanes.c test_lanes_ends.c test_lanes_pressure.c test_lanes_turns.c
  LAYERS framed LABELS framed TIMEOUT 60)
lam_program_test(framed_lanes_saturation SOURCES lanes_saturation.c
  LAYERS framed LABELS framed process stress TIMEOUT 120)
