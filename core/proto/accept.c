/*
 * Reads Accept-Encoding. Called for answers that are kept in two forms. Of weights only zero
 * matters here: whoever takes the smaller form gets it.
 */
#include "core/proto/accept.h"

#include "core/base/str.h"

/* RFC 9110 12.4.2: "0", "0.", "0.0", "0.000" are no. What is no weight at all is passed over. */
static bool is_zero(struct mw_view weight)
{
    if (!mw_view_starts_with(weight, "0"))
        return false;
    for (size_t i = 1; i < weight.len; i++) {
        if (weight.data[i] != (i == 1 ? '.' : '0'))
            return false;
    }
    return true;
}

/* `params`: what stands behind the coding's name. */
static bool is_refused(struct mw_view params)
{
    struct mw_view param;
    while (mw_view_split(&params, ';', &param)) {
        param = mw_view_trim(param);
        size_t equals = mw_view_find(param, '=', 0);
        struct mw_view name = mw_view_trim(mw_view(param.data, equals));
        if (mw_view_is_nocase(name, "q") && is_zero(mw_view_trim(mw_view_from(param, equals + 1))))
            return true;
    }
    return false;
}

bool mw_accepts_coding(struct mw_view list, const char *coding)
{
    struct mw_view item;
    bool by_star = false;
    while (mw_view_split(&list, ',', &item)) {
        size_t name_len = mw_view_find(item, ';', 0);
        struct mw_view name = mw_view_trim(mw_view(item.data, name_len));
        bool is_welcome = !is_refused(mw_view_from(item, name_len + 1));
        if (mw_view_is_nocase(name, coding))
            return is_welcome;
        if (mw_view_is(name, "*"))
            by_star = is_welcome;
    }
    return by_star;
}
