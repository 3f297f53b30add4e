/* One spelling for `require` and for `check`. Opens nothing. */
#include "lua/lint/lib_path.h"

#include <stdio.h>

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
}

static bool is_name(struct mw_view name)
{
    bool after_separator = true;
    for (size_t i = 0; i < name.len; i++) {
        bool is_separator = name.data[i] == '.' || name.data[i] == '/';
        if (!is_name_byte(name.data[i]) || (is_separator && after_separator))
            return false;
        after_separator = is_separator;
    }
    return name.len > 0 && name.len <= MW_LIB_NAME_MAX && !after_separator;
}

bool mw_lib_path(struct mw_view name, char path[MW_LIB_PATH_MAX])
{
    if (!is_name(name))
        return false;
    snprintf(path, MW_LIB_PATH_MAX, "lib/%.*s.lua", (int)name.len, name.data);
    for (size_t i = 4; i < 4 + name.len; i++) {
        if (path[i] == '.')
            path[i] = '/';
    }
    return true;
}
