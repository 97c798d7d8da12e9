# SPDX-License-Identifier: Apache-2.0
# runtime.yaml, and the programs that are run by one.
lam_criterion_test(runtime_yaml SOURCES test_yaml.c LAYERS runtime_config runtime base
  LABELS runtime)
runtime_test(runtime_yaml)
lam_criterion_test(runtime_yaml_keys SOURCES test_yaml_keys.c LAYERS runtime_config runtime base
  LABELS runtime)
runtime_test(runtime_yaml_keys)
lam_fuzz_test(fuzz_runtime_yaml SOURCES fuzz_yaml.c LAYERS runtime_config LABELS runtime)

if(NOT LAM_SANITIZED)
  foreach(suite IN ITEMS yaml yaml_keys)
    add_test(NAME runtime_${suite}_kills_its_mutants
      COMMAND ${PROJECT_SOURCE_DIR}/tests/support/mutants.sh ${PROJECT_SOURCE_DIR}
        ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/${suite}.mutants
        -DMODULES="${PROJECT_BINARY_DIR}/modules")
    lam_test_properties(runtime_${suite}_kills_its_mutants LABELS runtime long TIMEOUT 600)
  endforeach()
endif()

if(TARGET lamina-module AND LAMINA_WITH_EXAMPLES)
  if(TARGET lamina::metrics)
    set(has_metrics yes)
  else()
    set(has_metrics no)
  endif()
  lam_script_test(runtime_module_verbs module_verbs.sh
    ARGUMENTS ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${PROJECT_BINARY_DIR}/plugins
      ${PROJECT_BINARY_DIR}/modules ${has_metrics}
    LABELS runtime process TIMEOUT 180)
  lam_script_test(runtime_module_path module_path.sh
    ARGUMENTS ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} LABELS runtime process TIMEOUT 180)
endif()
