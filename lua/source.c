/* Copies of source files: found by path, cut into lines. Knows no Lua. */
#include "lua/source.h"

#include "core/base/str.h"

static int copy_file(struct mw_lua_source *out, struct mw_mem *mem, const struct mw_source *file)
{
    out->path_len = file->path.len;
    out->text_len = file->text.len;
    out->path = mw_mem_copy(mem, file->path);
    out->text = mw_mem_copy(mem, file->text);
    return out->path && out->text ? MW_OK : MW_ERR_NOMEM;
}

int mw_lua_sources_copy(struct mw_lua_sources *out, struct mw_mem *mem,
                        const struct mw_sources *sources)
{
    out->count = 1 + sources->lib_count;
    out->files = mw_alloc_zero(mem, out->count * sizeof(*out->files));
    if (!out->files)
        return MW_ERR_NOMEM;
    int err = copy_file(&out->files[0], mem, &sources->script);
    for (size_t i = 0; i < sources->lib_count && err == MW_OK; i++)
        err = copy_file(&out->files[i + 1], mem, &sources->libs[i]);
    if (err != MW_OK)
        mw_lua_sources_free(out, mem);
    return err;
}

void mw_lua_sources_free(struct mw_lua_sources *sources, struct mw_mem *mem)
{
    if (!sources->files)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        struct mw_lua_source *file = &sources->files[i];
        mw_free(mem, file->path, file->path_len + 1);
        mw_free(mem, file->text, file->text_len + 1);
    }
    mw_free(mem, sources->files, sources->count * sizeof(*sources->files));
    *sources = (struct mw_lua_sources){ 0 };
}

struct mw_lua_source *mw_lua_sources_find(const struct mw_lua_sources *sources, struct mw_view path)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct mw_lua_source *file = &sources->files[i];
        if (mw_view_equal(mw_view(file->path, file->path_len), path))
            return file;
    }
    return NULL;
}

struct mw_view mw_lua_source_line(const struct mw_lua_source *source, int line)
{
    struct mw_view text = mw_view(source->text, source->text_len);
    size_t at = 0;
    for (int n = 1; n < line; n++) {
        at = mw_view_find(text, '\n', at);
        if (at == text.len)
            return mw_view(NULL, 0);
        at++;
    }
    if (line < 1)
        return mw_view(NULL, 0);
    size_t end = mw_view_find(text, '\n', at);
    if (end > at && text.data[end - 1] == '\r')
        end--;
    return mw_view(text.data + at, end - at);
}
