# SPDX-License-Identifier: Apache-2.0
# What the options mean together, and the compiler settings of every target of this tree.

# Which part stands on which other. A part that is switched on over one that is switched off is
# refused here, with the two ways out, and not later by a target that cannot be found.
set(LAM_NEEDS_TYPED FRAMED CODECS)
set(LAM_NEEDS_TOPOLOGY TYPED)
set(LAM_NEEDS_RUNTIME TOPOLOGY)
set(LAM_NEEDS_SEQUENCER FRAMED)

foreach(part IN ITEMS TYPED TOPOLOGY RUNTIME SEQUENCER)
  foreach(need IN LISTS LAM_NEEDS_${part})
    if(LAMINA_WITH_${part} AND NOT LAMINA_WITH_${need})
      message(FATAL_ERROR "LAMINA_WITH_${part}=ON stands on LAMINA_WITH_${need}, which is OFF: "
        "pass -DLAMINA_WITH_${need}=ON, or -DLAMINA_WITH_${part}=OFF to leave both out")
    endif()
  endforeach()
endforeach()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

set(LAM_SANITIZED OFF)
if(CMAKE_C_FLAGS MATCHES "-fsanitize=")
  set(LAM_SANITIZED ON)
endif()
# Criterion does not start under ThreadSanitizer, and the code under test must see one mapping of
# each object: such a build makes the plain programs with the label "threads", and no other test.
set(LAM_THREAD_SANITIZER OFF)
if(CMAKE_C_FLAGS MATCHES "-fsanitize=[a-z,]*thread")
  set(LAM_THREAD_SANITIZER ON)
endif()

# A build for the fuzzer makes the fuzz targets, and no other test.
set(LAM_FUZZER OFF)
if(CMAKE_C_FLAGS MATCHES "fuzzer-no-link")
  set(LAM_FUZZER ON)
endif()
