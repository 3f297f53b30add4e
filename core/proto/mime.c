/* Media types of the files that a script's public folder may hold. Looks at the name only. */
#include "core/proto/mime.h"

#include "core/base/check.h"
#include "core/base/str.h"

static const struct {
    const char *suffix, *type;
} types[] = {
    /* pages and what they are made of; what is text says its charset, XML and JSON have their own
     */
    { "html", "text/html; charset=utf-8" },
    { "htm", "text/html; charset=utf-8" },
    { "xhtml", "application/xhtml+xml" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "wasm", "application/wasm" },
    { "map", "application/json" },
    { "webmanifest", "application/manifest+json" },
    { "wgsl", "text/wgsl; charset=utf-8" },
    /* data and documents */
    { "json", "application/json" },
    { "jsonld", "application/ld+json" },
    { "geojson", "application/geo+json" },
    { "xml", "application/xml" },
    { "rss", "application/rss+xml" },
    { "atom", "application/atom+xml" },
    { "yaml", "application/yaml" },
    { "yml", "application/yaml" },
    { "txt", "text/plain; charset=utf-8" },
    { "log", "text/plain; charset=utf-8" },
    { "md", "text/markdown; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "ics", "text/calendar; charset=utf-8" },
    { "pdf", "application/pdf" },
    { "epub", "application/epub+zip" },
    /* pictures and models */
    { "svg", "image/svg+xml" },
    { "png", "image/png" },
    { "apng", "image/apng" },
    { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "avif", "image/avif" },
    { "jxl", "image/jxl" },
    { "bmp", "image/bmp" },
    { "ico", "image/x-icon" },
    { "glb", "model/gltf-binary" },
    { "gltf", "model/gltf+json" },
    /* fonts */
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "ttf", "font/ttf" },
    { "otf", "font/otf" },
    /* sound and films, and the texts below them */
    { "mp3", "audio/mpeg" },
    { "m4a", "audio/mp4" },
    { "aac", "audio/aac" },
    { "ogg", "audio/ogg" },
    { "oga", "audio/ogg" },
    { "opus", "audio/ogg" },
    { "flac", "audio/flac" },
    { "weba", "audio/webm" },
    { "wav", "audio/wav" },
    { "mp4", "video/mp4" },
    { "m4v", "video/mp4" },
    { "ogv", "video/ogg" },
    { "webm", "video/webm" },
    { "mov", "video/quicktime" },
    { "m3u8", "application/vnd.apple.mpegurl" },
    { "vtt", "text/vtt; charset=utf-8" },
    /* archives */
    { "zip", "application/zip" },
    { "gz", "application/gzip" },
    { "tar", "application/x-tar" },
    { "zst", "application/zstd" },
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
