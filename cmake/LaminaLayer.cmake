# lam_layer(NAME SOURCES ... PUBLIC ... PRIVATE ...): declares one floor of the house.
#
# PUBLIC layers are those whose headers ours include, PRIVATE the rest; LINK names packages.
# Three fences: the floor check below refuses an upward dependency, scoped include paths refuse an
# upward include, and NAME_closure refuses a hand-copied declaration.

add_library(lam_warnings INTERFACE)
target_compile_options(lam_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
  -Wpointer-arith -Wvla -Wno-unused-parameter)

function(lam_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC;PRIVATE;LINK")
  foreach(dep IN LISTS arg_PUBLIC arg_PRIVATE)
    if(NOT DEFINED LAM_FLOOR_${dep})
      message(FATAL_ERROR "${name} depends on ${dep}, which is no floor of this house")
    endif()
    if(NOT LAM_FLOOR_${dep} LESS LAM_FLOOR_${name})
      message(FATAL_ERROR "${name} (floor ${LAM_FLOOR_${name}}) must not depend on "
        "${dep} (floor ${LAM_FLOOR_${dep}})")
    endif()
  endforeach()
  list(TRANSFORM arg_PUBLIC PREPEND "lamina::")
  list(TRANSFORM arg_PRIVATE PREPEND "lamina::")

  add_library(lam_${name} STATIC ${arg_SOURCES})
  add_library(lamina::${name} ALIAS lam_${name})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/lamina/*.h)
  target_sources(lam_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_include_directories(lam_${name} PRIVATE src)
  target_compile_definitions(lam_${name} PRIVATE _GNU_SOURCE)
  target_compile_options(lam_${name} PRIVATE -Wconversion) # not on tests: Criterion trips it
  target_link_libraries(lam_${name}
    PUBLIC ${arg_PUBLIC}
    PRIVATE ${arg_PRIVATE} ${arg_LINK} $<BUILD_INTERFACE:lam_warnings>)
  set_target_properties(lam_${name} PROPERTIES
    EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON POSITION_INDEPENDENT_CODE ON)

  # A hand-copied declaration needs no include: the whole archive must also link against nothing
  # but the layers that it named.
  add_executable(${name}_closure EXCLUDE_FROM_ALL
    ${PROJECT_SOURCE_DIR}/tests/architecture/closure.c)
  target_link_options(${name}_closure PRIVATE
    "LINKER:--whole-archive,$<TARGET_FILE:lam_${name}>,--no-whole-archive")
  target_link_libraries(${name}_closure PRIVATE ${arg_PUBLIC} ${arg_PRIVATE} ${arg_LINK})
  add_dependencies(${name}_closure lam_${name})
  set_property(GLOBAL APPEND PROPERTY LAM_LAYERS ${name})
endfunction()

# lam_tool(NAME SOURCES ... LAYERS ... LINK ...): a command of a layer, in build/PRESET/bin.
function(lam_tool name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LAYERS;LINK")
  list(TRANSFORM arg_LAYERS PREPEND "lamina::")
  add_executable(${name} ${arg_SOURCES})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${arg_LAYERS} ${arg_LINK} lam_warnings)
  set_property(GLOBAL APPEND PROPERTY LAM_TOOLS ${name})
endfunction()

# lam_example(NAME SOURCES ... LAYERS ... LINK ...): a program that shows a layer; not installed.
function(lam_example name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LAYERS;LINK")
  list(TRANSFORM arg_LAYERS PREPEND "lamina::")
  add_executable(${name} ${arg_SOURCES})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${arg_LAYERS} ${arg_LINK} lam_warnings)
endfunction()
