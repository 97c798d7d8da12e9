# SPDX-License-Identifier: Apache-2.0
# lam_package(NAME): finds one package of the outside and makes the target PkgConfig::NAME.
#
# The build and the installed package both read this file, so that they look for the same thing.

# The pkg-config modules that carry each, the first found wins. Debian 12 says msgpack, newer
# releases say msgpack-c.
set(LAM_PACKAGE_msgpack msgpack msgpack-c)
set(LAM_PACKAGE_yaml yaml-0.1)
set(LAM_PACKAGE_numa numa)
set(LAM_PACKAGE_microhttpd libmicrohttpd)
set(LAM_PACKAGE_crypto libcrypto)
# What to install on Debian where it is missing.
set(LAM_PACKAGE_msgpack_debian libmsgpack-dev)
set(LAM_PACKAGE_yaml_debian libyaml-dev)
set(LAM_PACKAGE_numa_debian libnuma-dev)
set(LAM_PACKAGE_microhttpd_debian libmicrohttpd-dev)
set(LAM_PACKAGE_crypto_debian libssl-dev)

macro(lam_package name)
  if(NOT DEFINED LAM_PACKAGE_${name})
    message(FATAL_ERROR "lamina: ${name} is not in the list of packages (LaminaPackages.cmake)")
  endif()
  if(NOT TARGET PkgConfig::${name})
    find_package(PkgConfig REQUIRED QUIET)
    pkg_search_module(${name} QUIET IMPORTED_TARGET GLOBAL ${LAM_PACKAGE_${name}})
    if(NOT ${name}_FOUND)
      message(FATAL_ERROR "lamina: pkg-config knows no ${name}; on Debian: "
        "apt-get install ${LAM_PACKAGE_${name}_debian}")
    endif()
  endif()
endmacro()

# lam_package_is_there(NAME VARIABLE): for a part that is left out where there is none.
function(lam_package_is_there name variable)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND AND NOT TARGET PkgConfig::${name})
    pkg_search_module(${name} QUIET IMPORTED_TARGET GLOBAL ${LAM_PACKAGE_${name}})
  endif()
  set(found OFF)
  if(TARGET PkgConfig::${name})
    set(found ON)
  endif()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()
