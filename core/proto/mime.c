/* Media types of the files that a script's public folder may hold. Looks at the name only. */
#include "core/proto/mime.h"

#include "core/base/check.h"
#include "core/base/str.h"

static const struct {
    const char *suffix, *type;
} types[] = {
    { "html", "text/html; charset=utf-8" },
    { "htm", "text/html; charset=utf-8" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "map", "application/json" },
    { "webmanifest", "application/manifest+json" },
    { "txt", "text/plain; charset=utf-8" },
    { "md", "text/markdown; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "xml", "application/xml" },
    { "svg", "image/svg+xml" },
    { "png", "image/png" },
    { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "avif", "image/avif" },
    { "ico", "image/x-icon" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "ttf", "font/ttf" },
    { "otf", "font/otf" },
    { "wasm", "application/wasm" },
    { "pdf", "application/pdf" },
    { "zip", "application/zip" },
    { "gz", "application/gzip" },
    { "mp3", "audio/mpeg" },
    { "ogg", "audio/ogg" },
    { "wav", "audio/wav" },
    { "mp4", "video/mp4" },
    { "webm", "video/webm" },
};

/* What stands behind the last dot of the last segment; empty where there is none. */
static struct mw_view suffix_of(struct mw_view name)
{
    for (size_t i = name.len; i-- > 0 && name.data[i] != '/';) {
        if (name.data[i] == '.')
            return mw_view_from(name, i + 1);
    }
    return mw_view("", 0);
}

const char *mw_mime_of(struct mw_view file_name)
{
    struct mw_view suffix = suffix_of(file_name);
    for (size_t i = 0; i < MW_COUNT(types); i++) {
        if (mw_view_is_nocase(suffix, types[i].suffix))
            return types[i].type;
    }
    return "application/octet-stream";
}
