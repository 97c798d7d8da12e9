# SPDX-License-Identifier: Apache-2.0
# A hostile peer. The ring's own sources and base's are compiled anew with another atomic.h.
set(hostile_sources "")
foreach(layer IN ITEMS ring base)
  get_target_property(sources lam_${layer} SOURCES)
  get_target_property(folder lam_${layer} SOURCE_DIR)
  list(FILTER sources INCLUDE REGEX "\\.c$")
  list(TRANSFORM sources PREPEND ${folder}/)
  list(APPEND hostile_sources ${sources})
endforeach()

add_library(ring_hostile_world OBJECT EXCLUDE_FROM_ALL ${hostile_sources}
  hostile/prey.c hostile/prey_fields.c hostile/scene.c hostile/scene_consumers.c
  hostile/scene_look.c hostile/scene_notify.c hostile/scene_producers.c hostile/world.c)
target_include_directories(ring_hostile_world PUBLIC hostile ${PROJECT_SOURCE_DIR}/tests/support
  ${PROJECT_SOURCE_DIR}/layer0-ring/include ${PROJECT_SOURCE_DIR}/layer0-ring/src
  ${PROJECT_SOURCE_DIR}/layer0-ring/base/include ${PROJECT_SOURCE_DIR}/layer0-ring/base/src)
target_compile_definitions(ring_hostile_world
  PUBLIC _GNU_SOURCE LAM_CRASH_POINTS=1
  LAM_ATOMIC_MODEL=<hostile_atomic.h>)
target_link_options(ring_hostile_world INTERFACE
  -Wl,--wrap=mmap -Wl,--wrap=munmap -Wl,--wrap=nanosleep)
target_link_libraries(ring_hostile_world PRIVATE lam_warnings)

lam_program_test(ring_hostile_turns SOURCES hostile/turns.c LABELS ring hostile TIMEOUT 300)
target_link_libraries(ring_hostile_turns PRIVATE ring_hostile_world)
if(CMAKE_CROSSCOMPILING) # an emulator is a fiftieth as fast
  target_compile_definitions(ring_hostile_turns PRIVATE HOSTILE_MUTATIONS=10000)
endif()

lam_program_test(ring_hostile_beside SOURCES hostile/beside.c LABELS ring hostile TIMEOUT 300)
target_link_libraries(ring_hostile_beside PRIVATE ring_hostile_world)
if(CMAKE_CROSSCOMPILING)
  target_compile_definitions(ring_hostile_beside PRIVATE HOSTILE_MUTATIONS=4000)
endif()
