# SPDX-License-Identifier: Apache-2.0
# What holds each layer to its floor. tests/architecture/fences.sh breaks each of them.
#
# 1. The floor check refuses, at configure time, a dependency that does not go down.
# 2. Include paths are scoped: an upward include finds no file.
# 3. The closure refuses a declaration that was copied by hand instead of included.
# 4. The header check compiles each public header alone.
# A "../" in an include would climb over all of them: the tidy test refuses that.
# With tests switched on, a fence that is broken breaks the build.

if(LAMINA_WITH_TESTS)
  enable_language(CXX) # for the headers alone: nothing of ours is written in it
endif()

# Every name in the list of layers is a lower floor than NAME, and is part of this build.
function(lam_fence_floor name)
  foreach(dep IN LISTS ARGN)
    if(NOT DEFINED LAM_FLOOR_${dep})
      message(FATAL_ERROR "${name} depends on ${dep}, which is no floor of this house")
    endif()
    if(NOT LAM_FLOOR_${dep} LESS LAM_FLOOR_${name})
      message(FATAL_ERROR "${name} (floor ${LAM_FLOOR_${name}}) must not depend on "
        "${dep} (floor ${LAM_FLOOR_${dep}})")
    endif()
    if(NOT TARGET lamina::${dep})
      message(FATAL_ERROR "${name} depends on ${dep}, which this build leaves out")
    endif()
  endforeach()
endfunction()

# The whole archive must link against nothing but what the layer named.
function(lam_fence_closure name)
  if(NOT LAMINA_WITH_TESTS)
    return()
  endif()
  add_executable(${name}_closure ${PROJECT_SOURCE_DIR}/tests/architecture/closure.c)
  target_link_options(${name}_closure PRIVATE
    "LINKER:--whole-archive,$<TARGET_FILE:lam_${name}>,--no-whole-archive")
  target_link_libraries(${name}_closure PRIVATE ${ARGN})
  add_dependencies(${name}_closure lam_${name})
  set_target_properties(${name}_closure PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

# All public headers in one file: no two layers have one name for two things.
function(lam_fence_together)
  get_property(headers GLOBAL PROPERTY LAM_HEADERS)
  get_property(layers GLOBAL PROPERTY LAM_LAYERS)
  if(NOT headers)
    return()
  endif()
  list(TRANSFORM headers REPLACE "(.+)" "#include \"\\1\"\n" OUTPUT_VARIABLE lines)
  string(JOIN "" text ${lines})
  foreach(suffix IN ITEMS c cc)
    file(CONFIGURE OUTPUT all_headers.${suffix} @ONLY CONTENT
      "@text@extern int all_stand_together;\nint all_stand_together = 1;\n")
    list(APPEND units ${CMAKE_CURRENT_BINARY_DIR}/all_headers.${suffix})
  endforeach()
  list(TRANSFORM layers PREPEND "lamina::")
  add_library(lam_all_headers OBJECT ${units})
  target_link_libraries(lam_all_headers PRIVATE ${layers})
  target_compile_definitions(lam_all_headers PRIVATE _GNU_SOURCE)
endfunction()

# Each public header alone, included twice, with nothing but what lamina::NAME gives to a user:
# strict C11 and strict C++17, without extensions or feature macros.
function(lam_fence_headers name)
  if(NOT LAMINA_WITH_TESTS OR LAM_SANITIZED OR NOT ARGN) # once is enough
    return()
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}_headers)
  foreach(header IN LISTS ARGN)
    cmake_path(RELATIVE_PATH header BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include)
    string(MAKE_C_IDENTIFIER ${header} unit)
    set_property(GLOBAL APPEND PROPERTY LAM_HEADERS ${header})
    foreach(suffix IN ITEMS c cc)
      file(CONFIGURE OUTPUT ${folder}/${unit}.${suffix} @ONLY CONTENT
"#include \"@header@\"
#include \"@header@\"
extern int @unit@_stands_alone;
int @unit@_stands_alone = 1;
")
      list(APPEND units ${folder}/${unit}.${suffix})
    endforeach()
  endforeach()
  add_library(${name}_headers OBJECT ${units})
  target_link_libraries(${name}_headers PRIVATE lamina::${name})
  target_compile_options(${name}_headers PRIVATE -Wall -Wextra -Wpedantic -Werror)
  set_target_properties(${name}_headers PROPERTIES
    C_EXTENSIONS OFF CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()
