/* The lists of names.h, all of them in one array: NULL, title, names, NULL, title, names, NULL. */
#include "lua/names.h"

#include <stddef.h>
#include <string.h>

#include "core/base/check.h"
#include "lua/version.h"

static const char *const lists[] = {
#define MW_LIBRARY(library)                 NULL, #library,
#define MW_ALLOW(library, name, functions)  #name,
#define MW_ALLOW_VALUE(library, name, push) #name,
#define MW_SCRIPTS_ONLY
#include "lua/allow.def"
#undef MW_LIBRARY
#undef MW_ALLOW
#undef MW_ALLOW_VALUE
#undef MW_SCRIPTS_ONLY

    NULL,
    "conn",
#define MW_CONN_FIELD(name)  #name,
#define MW_CONN_METHOD(name) #name,
#include "lua/conn.def"
#undef MW_CONN_FIELD
#undef MW_CONN_METHOD

    NULL,
    "req",
    "id",
    "path",
    "target",
    "ip",
    "params",
    "query",
    "query_all",
    "headers",
    "cookies",
    "tls",
    "resume",

    NULL,
    "M",
#define MW_MODULE_KEY(name) #name,
#include "lua/module.def"
#undef MW_MODULE_KEY
#define HANDLER_NAME(name, key) #key,
    MW_LUA_HANDLER_LIST(HANDLER_NAME)

        NULL,
    "limits",
#define LIMIT_NAME(name, normal, least, most) #name,
    MW_LIMIT_LIST(LIMIT_NAME)
#undef LIMIT_NAME
        "policy",

    NULL,
};

const char *const mw_lua_conn_method_names[] = {
#define MW_CONN_FIELD(name)
#define MW_CONN_METHOD(name) #name,
#include "lua/conn.def"
#undef MW_CONN_FIELD
#undef MW_CONN_METHOD
    NULL,
};

const char *const mw_lua_handler_names[] = { MW_LUA_HANDLER_LIST(HANDLER_NAME) NULL };
#undef HANDLER_NAME

const char *const *mw_lua_names(const char *library)
{
    for (size_t i = 1; i < MW_COUNT(lists); i++) {
        if (!lists[i - 1] && strcmp(lists[i], library) == 0)
            return &lists[i + 1];
    }
    return NULL;
}
