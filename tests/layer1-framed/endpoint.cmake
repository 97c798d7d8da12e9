# SPDX-License-Identifier: Apache-2.0
# Daemons and their clients.
lam_criterion_test(framed_endpoint
  SOURCES endpoint/test_clients.c endpoint/test_place.c endpoint/test_requests.c
    endpoint/test_wire.c
  LAYERS framed LABELS framed process TIMEOUT 60)
lam_program_test(framed_endpoint_kills SOURCES endpoint/kills.c
  LAYERS framed LABELS framed crash TIMEOUT 300)
