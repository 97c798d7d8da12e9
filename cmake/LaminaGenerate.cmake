# SPDX-License-Identifier: Apache-2.0
# lamina_generate(TARGET SCHEMAS a.fbs dir/b.fbs ... [INCLUDES dir ...] [PREFIX p])
#
# Makes a header of each schema, a.h and dir/b.h, by the schema compiler, where TARGET and whoever
# links it finds them: #include "a.h". TARGET is linked to lamina::codecs. A schema that another one
# includes is listed too, for its header is included in the same way. INCLUDES are further folders
# to look for included schemas in (a listed schema in one of them is named from there, as an include
# would), PREFIX begins every generated name.
#
# Editing a schema, or one that it includes, makes its header anew, as does a new compiler.

# With it, the paths of depfiles mean the same to ninja as to us, whatever the caller's policies.
cmake_policy(PUSH)
cmake_policy(VERSION 3.24)

# What an include calls SCHEMA, with .h: its path from a folder of DIRS, else as it was given.
function(lamina_header_name out schema dirs)
  set(name ${schema})
  if(IS_ABSOLUTE ${schema})
    cmake_path(GET schema FILENAME name)
  endif()
  cmake_path(ABSOLUTE_PATH schema NORMALIZE)
  foreach(dir IN LISTS dirs)
    cmake_path(IS_PREFIX dir ${schema} NORMALIZE inside)
    if(inside)
      cmake_path(RELATIVE_PATH schema BASE_DIRECTORY ${dir} OUTPUT_VARIABLE name)
    endif()
  endforeach()
  cmake_path(REPLACE_EXTENSION name LAST_ONLY .h)
  set(${out} ${name} PARENT_SCOPE)
endfunction()

function(lamina_generate target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX" "SCHEMAS;INCLUDES")
  if(NOT TARGET ${target})
    message(FATAL_ERROR "lamina_generate(${target}): there is no target ${target}; make it first")
  endif()
  if(NOT arg_SCHEMAS OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lamina_generate(${target} SCHEMAS a.fbs ... [INCLUDES dir ...] "
      "[PREFIX p]): what is \"${arg_UNPARSED_ARGUMENTS}\"?")
  endif()

  set(options)
  set(dirs)
  foreach(dir IN LISTS arg_INCLUDES)
    cmake_path(ABSOLUTE_PATH dir NORMALIZE)
    list(APPEND dirs ${dir})
    list(APPEND options -I ${dir})
  endforeach()
  if(arg_PREFIX)
    list(APPEND options --prefix ${arg_PREFIX})
  endif()

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}-schemas)
  set(headers)
  foreach(schema IN LISTS arg_SCHEMAS)
    lamina_header_name(name ${schema} "${dirs}")
    set(header ${folder}/${name})
    cmake_path(GET header PARENT_PATH header_folder)
    cmake_path(ABSOLUTE_PATH schema NORMALIZE)
    file(MAKE_DIRECTORY ${header_folder})
    add_custom_command(OUTPUT ${header}
      COMMAND lamina::lamina-schema ${options} --depfile ${header}.d -o ${header} ${schema}
      DEPENDS ${schema} $<TARGET_FILE:lamina::lamina-schema>
      DEPFILE ${header}.d
      COMMENT "Writing ${name} from its schema"
      VERBATIM)
    list(APPEND headers ${header})
  endforeach()

  add_custom_target(${target}-schemas DEPENDS ${headers})
  add_dependencies(${target} ${target}-schemas)
  get_target_property(type ${target} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${folder}>)
  target_link_libraries(${target} ${scope} lamina::codecs)
endfunction()

cmake_policy(POP)
