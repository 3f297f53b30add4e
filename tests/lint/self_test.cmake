# The lint over a small tree in which each file breaks a rule: it must say exactly what is in
# bad/expected.txt, and fail.
cmake_minimum_required(VERSION 3.25)
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(tree "${CMAKE_CURRENT_BINARY_DIR}/lint_self_test")

file(REMOVE_RECURSE "${tree}")
file(COPY "${here}/bad/" DESTINATION "${tree}")
string(REPEAT "    ;\n" 81 body)
file(WRITE "${tree}/core/base/long.c" "void grown(void)\n{\n${body}}\n")
string(REPEAT "\n" 651 body)
file(WRITE "${tree}/core/base/longer.c" "${body}")
string(CONCAT word "TO" "DO")
file(WRITE "${tree}/core/base/unfinished.h" "/* ${word}: the rest */\n")

execute_process(COMMAND sh "${here}/rules.sh" "${tree}"
    OUTPUT_VARIABLE rules ERROR_VARIABLE rules RESULT_VARIABLE rules_failed)
execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROOT=${tree}" -P "${here}/layers.cmake"
    OUTPUT_VARIABLE layers ERROR_VARIABLE layers RESULT_VARIABLE layers_failed)
execute_process(COMMAND sh "${here}/conformance.sh" "${tree}"
    OUTPUT_VARIABLE table ERROR_VARIABLE table RESULT_VARIABLE table_failed)
execute_process(COMMAND sh "${here}/limits.sh" "${tree}"
    OUTPUT_VARIABLE limits ERROR_VARIABLE limits RESULT_VARIABLE limits_failed)
execute_process(COMMAND sh "${here}/log.sh" "${tree}"
    OUTPUT_VARIABLE log ERROR_VARIABLE log RESULT_VARIABLE log_failed)
execute_process(COMMAND sh "${here}/metrics.sh" "${tree}"
    OUTPUT_VARIABLE metrics ERROR_VARIABLE metrics RESULT_VARIABLE metrics_failed)
file(REMOVE_RECURSE "${tree}")
string(REGEX REPLACE "CMake Error.*" "" layers "${layers}")
file(READ "${here}/bad/expected.txt" expected)
set(said "${rules}${layers}${table}${limits}${log}${metrics}")
if(NOT said STREQUAL expected OR NOT rules_failed OR NOT layers_failed OR NOT table_failed
        OR NOT limits_failed OR NOT log_failed OR NOT metrics_failed)
    message(FATAL_ERROR "said:\n${said}\nexpected:\n${expected}")
endif()
