/* Names and texts of the error numbers: both switches are the one list, so nothing can drift. */
#include "core/base/err.h"

const char *mw_err_name(int err)
{
    switch ((enum mw_err)err) {
    case MW_OK:
        return "OK";
#define CASE_NAME(name, number, text) \
    case MW_ERR_##name: \
        return #name;
        MW_ERR_LIST(CASE_NAME)
#undef CASE_NAME
    }
    return "UNKNOWN";
}

const char *mw_err_text(int err)
{
    switch ((enum mw_err)err) {
    case MW_OK:
        return "no error";
#define CASE_TEXT(name, number, text) \
    case MW_ERR_##name: \
        return text;
        MW_ERR_LIST(CASE_TEXT)
#undef CASE_TEXT
    }
    return "an error without a text";
}
