# SPDX-License-Identifier: Apache-2.0
# lam_layer(NAME SOURCES ... PUBLIC ... PRIVATE ... PACKAGES ... LINK ...): one floor of the house.
#
# PUBLIC layers are those whose headers ours include, PRIVATE the rest. PACKAGES are names of
# LaminaPackages.cmake, LINK is plain libraries (dl, m). LaminaFences.cmake holds it to its floor.
include(LaminaPackages)
include(LaminaFences)

add_library(lam_warnings INTERFACE)
target_compile_options(lam_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wpointer-arith -Wvla -Wno-unused-parameter
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)

add_custom_target(lamina_programs) # commands and examples
add_custom_target(lamina_package)  # what is installed

function(lam_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC;PRIVATE;PACKAGES;LINK")
  lam_fence_floor(${name} ${arg_PUBLIC} ${arg_PRIVATE})
  foreach(package IN LISTS arg_PACKAGES)
    lam_package(${package})
  endforeach()
  set(layers ${arg_PUBLIC} ${arg_PRIVATE})
  set(packages ${arg_PACKAGES})
  list(TRANSFORM arg_PUBLIC PREPEND "lamina::")
  list(TRANSFORM arg_PRIVATE PREPEND "lamina::")
  list(TRANSFORM arg_PACKAGES PREPEND "PkgConfig::")

  add_library(lam_${name} STATIC ${arg_SOURCES})
  add_library(lamina::${name} ALIAS lam_${name})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/lamina/*.h)
  target_sources(lam_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_include_directories(lam_${name} PRIVATE src)
  target_compile_definitions(lam_${name} PRIVATE _GNU_SOURCE)
  target_compile_options(lam_${name} PRIVATE -Wconversion) # not on tests: Criterion trips it
  target_link_libraries(lam_${name}
    PUBLIC ${arg_PUBLIC}
    PRIVATE ${arg_PRIVATE} ${arg_PACKAGES} ${arg_LINK} $<BUILD_INTERFACE:lam_warnings>)
  # Position independent, because a runtime module is a shared object that may hold a layer.
  set_target_properties(lam_${name} PROPERTIES
    OUTPUT_NAME lamina-${name} EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON POSITION_INDEPENDENT_CODE ON)

  add_dependencies(lamina_package lam_${name})
  lam_fence_headers(${name} ${headers})
  lam_fence_closure(${name} ${arg_PUBLIC} ${arg_PRIVATE} ${arg_PACKAGES} ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY LAM_LAYERS ${name})
  set_property(GLOBAL PROPERTY LAM_LAYERS_OF_${name} ${layers})
  set_property(GLOBAL PROPERTY LAM_PACKAGES_OF_${name} ${packages})
  set_property(GLOBAL PROPERTY LAM_LINK_OF_${name} ${arg_LINK})
  set_property(GLOBAL PROPERTY LAM_FOLDER_OF_${name} ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()

function(lam_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LAYERS;LINK")
  list(TRANSFORM arg_LAYERS PREPEND "lamina::")
  add_executable(${name} ${arg_SOURCES})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${arg_LAYERS} ${arg_LINK} lam_warnings)
endfunction()

# lam_tool(NAME SOURCES ... LAYERS ... LINK ...): a command of a layer, in build/PRESET/bin.
function(lam_tool name)
  lam_program(${name} ${ARGN})
  add_dependencies(lamina_programs ${name})
  add_dependencies(lamina_package ${name})
  add_executable(lamina::${name} ALIAS ${name}) # the name it has when installed
  set_property(GLOBAL APPEND PROPERTY LAM_TOOLS ${name})
endfunction()

# lam_example(NAME SOURCES ... LAYERS ... LINK ...): a program that shows a layer; not installed.
# Where examples are left out it is a target that nothing builds.
function(lam_example name)
  lam_program(${name} ${ARGN})
  if(LAMINA_WITH_EXAMPLES)
    add_dependencies(lamina_programs ${name})
  else()
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()
