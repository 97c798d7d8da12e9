# SPDX-License-Identifier: Apache-2.0
# Installs every layer of this build as a component of one CMake package, and as a pkg-config file.
#
# Each component has an export file of its own, so that who asks for the ring alone needs neither
# the other archives nor their packages. Read last, when all layers are declared.
include(CMakePackageConfigHelpers)

set(LAM_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lamina)
get_property(layers GLOBAL PROPERTY LAM_LAYERS)
get_property(tools GLOBAL PROPERTY LAM_TOOLS)

# From the folder of the .pc files back to the prefix: an installation may be moved, or staged.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE LAM_PC_PREFIX)

# One .pc file. Only static archives are installed, so whatever is needed to link is required in
# public: Requires.private would hide it from a plain "pkg-config --libs".
function(lam_install_pc name)
  get_property(needs GLOBAL PROPERTY LAM_LAYERS_OF_${name})
  get_property(packages GLOBAL PROPERTY LAM_PACKAGES_OF_${name})
  get_property(libraries GLOBAL PROPERTY LAM_LINK_OF_${name})
  list(TRANSFORM needs PREPEND "lamina-")
  list(TRANSFORM needs APPEND " = ${PROJECT_VERSION}")
  foreach(package IN LISTS packages)
    list(APPEND needs ${${package}_MODULE_NAME})
  endforeach()
  list(TRANSFORM libraries PREPEND "-l")
  list(JOIN needs ", " LAM_PC_REQUIRES)
  list(JOIN libraries " " LAM_PC_LIBRARIES)
  set(LAM_PC_NAME ${name})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/lamina-component.pc.in
    ${PROJECT_BINARY_DIR}/package/lamina-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/lamina-${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# The map of components, in an order in which each comes after all that it needs.
set(LAM_COMPONENT_MAP "set(lamina_known_components ${layers})\n")
foreach(layer IN LISTS layers)
  get_property(needs GLOBAL PROPERTY LAM_LAYERS_OF_${layer})
  get_property(packages GLOBAL PROPERTY LAM_PACKAGES_OF_${layer})
  string(APPEND LAM_COMPONENT_MAP
    "set(lamina_layers_of_${layer} ${needs})\n"
    "set(lamina_packages_of_${layer} ${packages})\n")

  install(TARGETS lam_${layer} EXPORT lamina-${layer}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT lamina-${layer} FILE lamina-component-${layer}.cmake
    NAMESPACE lamina:: DESTINATION ${LAM_PACKAGE_DIR})
  lam_install_pc(${layer})
endforeach()
if(tools)
  install(TARGETS ${tools} EXPORT lamina-tools RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(EXPORT lamina-tools NAMESPACE lamina:: DESTINATION ${LAM_PACKAGE_DIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/lamina-config.cmake.in
  ${PROJECT_BINARY_DIR}/package/lamina-config.cmake INSTALL_DESTINATION ${LAM_PACKAGE_DIR})
# Before 1.0 a minor version may change what is shared in memory: only the same minor version fits.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/lamina-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/lamina-config.cmake
  ${PROJECT_BINARY_DIR}/package/lamina-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/LaminaPackages.cmake
  DESTINATION ${LAM_PACKAGE_DIR})
if(EXISTS ${PROJECT_SOURCE_DIR}/cmake/LaminaGenerate.cmake AND TARGET lamina-schema)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/LaminaGenerate.cmake DESTINATION ${LAM_PACKAGE_DIR})
endif()
