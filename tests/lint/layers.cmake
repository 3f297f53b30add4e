# Reads every #include of include/, core/ and lua/ against the table below, refuses cycles, and prints
# how far each header reaches, so that a header which everything includes is seen on the day it starts.
#
#   cmake -D ROOT=folder -P layers.cmake
#
# What this reads, the linker checks again: each folder is a library that links to those below alone.
cmake_minimum_required(VERSION 3.25)

# folder: the folders just below it; what those see, it sees too.
set(layers
    "include/moonwire:"
    "core/base: include/moonwire"
    "core/proto: core/base"
    "core/session: core/proto"
    "core/hub: core/base"
    "core/io: core/base"
    "core/outbound: core/session core/io"
    "core/bench: core/outbound"
    "core/explain: core/session"
    "core/doctor: core/explain core/outbound"
    "core/server: core/explain core/hub core/io"
    "core/sim: core/session core/hub"
    "core/cli: core/server core/doctor core/outbound core/bench core/sim"
    "lua/lint: core/base"
    "lua: lua/lint")

# header: the only folders or files that may include it. The first row that fits counts.
set(foreign
    # C11
    "(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|time|signal).h: include core lua"
    # POSIX stays at the edges
    "pthread.h: core/base/lock.h core/base/lock.c core/base/cpu_tick.c"
    "(unistd|fcntl|dirent|strings|libgen|netdb|poll|sched).h: core/base core/io core/server core/cli core/bench/raw.c"
    "termios.h: core/cli/connect_input.c"
    "(sys|netinet|arpa)/.*.h: core/base core/io core/server core/cli core/bench/raw.c"
    # libraries, each behind one door
    "uv.h: core/io"
    "mbedtls/.*.h: core/io core/base/digest.c"
    "psa/.*.h: core/io"
    "malloc.h: core/io/tls_sleep.c core/server/memory_guard.c"
    "sanitizer/asan_interface.h: lua/spare.h"
    "llhttp.h: core/proto/http.c"
    "zlib.h: core/proto/deflate.c"
    "yyjson.h: core/base/json.c"
    "(lua|lauxlib|lualib).h: lua"
    "ut(hash|list|array|string).h: core lua")

set(problems "")
macro(problem)
    string(CONCAT text ${ARGN})
    list(APPEND problems "${text}")
endmacro()

# What each folder sees, closed over the rows above it; rows stand lowest first.
set(folders "")
foreach(row IN LISTS layers)
    string(REGEX MATCH "^([^:]+):(.*)$" _ "${row}")
    set(folder "${CMAKE_MATCH_1}")
    separate_arguments(below UNIX_COMMAND "${CMAKE_MATCH_2}")
    list(APPEND folders "${folder}")
    set(seen_from_${folder} "${folder}" ${below})
    foreach(lower IN LISTS below)
        list(APPEND seen_from_${folder} ${seen_from_${lower}})
    endforeach()
endforeach()

function(check_foreign file header)
    foreach(row IN LISTS foreign)
        string(REGEX MATCH "^(.+): (.+)$" _ "${row}")
        set(places "${CMAKE_MATCH_2}")
        if("${header}" MATCHES "^${CMAKE_MATCH_1}$")
            string(REPLACE " " "|" pattern "${places}")
            if(NOT "${file}" MATCHES "^(${pattern})(/|$)")
                problem("${file}: <${header}> belongs to ${places} alone")
            endif()
            set(problems "${problems}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    problem("${file}: <${header}> is in no row of the table of foreign headers")
    set(problems "${problems}" PARENT_SCOPE)
endfunction()

function(check_own file folder header)
    cmake_path(GET header PARENT_PATH target)
    if(NOT target IN_LIST folders)
        problem("${file}: \"${header}\" is not written from the root, or is in no folder of the table")
    elseif(NOT target IN_LIST seen_from_${folder})
        problem("${file}: ${folder} must not see ${target} (\"${header}\")")
    elseif(NOT EXISTS "${ROOT}/${header}" AND NOT EXISTS "${ROOT}/${header}.in")
        problem("${file}: there is no \"${header}\"")
    endif()
    set(problems "${problems}" PARENT_SCOPE)
endfunction()

# Every include line.
set(headers "")
foreach(folder IN LISTS folders)
    file(GLOB files RELATIVE "${ROOT}" "${ROOT}/${folder}/*.[ch]" "${ROOT}/${folder}/*.def")
    foreach(file IN LISTS files)
        set(includes_${file} "")
        file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
        foreach(line IN LISTS lines)
            if(line MATCHES "include[ \t]*<([^>]+)>")
                check_foreign("${file}" "${CMAKE_MATCH_1}")
            elseif(line MATCHES "include[ \t]*\"([^\"]+)\"")
                string(REGEX REPLACE "^moonwire/" "include/moonwire/" header "${CMAKE_MATCH_1}")
                check_own("${file}" "${folder}" "${header}")
                list(APPEND includes_${file} "${header}")
            endif()
        endforeach()
        if(NOT file MATCHES "\\.c$")
            list(APPEND headers "${file}")
        endif()
    endforeach()
    file(GLOB_RECURSE nested RELATIVE "${ROOT}" "${ROOT}/${folder}/*/*.[ch]")
    foreach(file IN LISTS nested)
        cmake_path(GET file PARENT_PATH place)
        if(NOT place IN_LIST folders)
            problem("${file}: is in no folder of the table")
        endif()
    endforeach()
endforeach()

# Headers whose includes are all settled are settled; what never is, is on a cycle or above one.
set(open ${headers})
while(open)
    set(still_open "")
    foreach(header IN LISTS open)
        set(reach_${header} "")
        set(waits FALSE)
        foreach(lower IN LISTS includes_${header})
            if(lower IN_LIST open)
                set(waits TRUE)
            endif()
            list(APPEND reach_${header} "${lower}" ${reach_${lower}})
        endforeach()
        list(REMOVE_DUPLICATES reach_${header})
        if(waits)
            list(APPEND still_open "${header}")
        endif()
    endforeach()
    if("${still_open}" STREQUAL "${open}")
        string(REPLACE ";" " " text "${open}")
        problem("headers on a cycle of includes, or above one: ${text}")
        break()
    endif()
    set(open ${still_open})
endwhile()

message("pulls in | header")
foreach(header IN LISTS headers)
    list(LENGTH reach_${header} count)
    message("${count} | ${header}")
endforeach()
foreach(text IN LISTS problems)
    message("layers: ${text}")
endforeach()
if(problems)
    message(FATAL_ERROR "the layers are not kept")
endif()
