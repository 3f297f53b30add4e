# A file as a C source, so that the program can serve it without having it beside itself:
#
#   cmake -D IN=moonwire.js -D NAME=mw_client_js_file -D OUT=moonwire_js.c -P client/embed.cmake
#
# What it defines is declared in core/server/client_js.h.
file(READ "${IN}" bytes HEX)
file(SHA256 "${IN}" hash)
string(LENGTH "${bytes}" length)
math(EXPR length "${length} / 2")
string(SUBSTRING "${hash}" 0 32 hash)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUT}" "/* Made by client/embed.cmake. */
#include \"core/server/client_js.h\"

static const unsigned char bytes[] = {
${bytes}
};
const struct mw_js_file ${NAME} = { bytes, ${length}, \"${hash}\" };
")
