/*
 * From an error of Lua to struct mw_fault. A failed coroutine keeps its frames, so the place and
 * the calls are read from it afterwards; no message handler runs while the script does.
 *
 * Never runs code of the script: an error value that is a table is shown by inspect, not by its
 * __tostring.
 */
#include "lua/fault.h"

#include <limits.h>

#include "core/base/str.h"
#include "lua/inspect.h"
#include "lua/version.h"

/* Frames of a trace: its end tells most, and a recursion repeats itself. */
#define MAX_FRAMES 10

/* Nobody nests calls that deeply on purpose. */
#define MANY_FRAMES 10000

static void copy_text(char *out, size_t size, struct mw_view text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

/* ---- the message ---- */

/* Light userdata of the buffer at 1, the value at 2. */
static int describe(lua_State *L)
{
    struct mw_buf *text = lua_touserdata(L, 1);
    mw_lua_inspect_write(L, 2, text);
    return 0;
}

/* error({ ... }), error(nil): moved to another thread, since the failed one can run nothing. */
static void describe_value(lua_State *L, lua_State *thread, char *out, size_t size)
{
    void *mem;
    struct mw_buf text;
    lua_getallocf(L, &mem);
    mw_buf_init(&text, mem, 0);
    lua_pushcfunction(L, describe);
    lua_pushlightuserdata(L, &text);
    lua_xmove(thread, L, 1);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
        mw_buf_clear(&text);
        lua_pop(L, 1);
    }
    bool is_described = text.len > 0 && mw_buf_cstr(&text);
    snprintf(out, size, "error value %s", is_described ? text.data : "that cannot be shown");
    mw_buf_free(&text);
}

/*
 * Lua puts "file:line: " before its messages, and shortens long file names to "..." and their end.
 * Gives the length of that beginning if it names one of our files, else 0.
 */
static size_t match_place(struct mw_view message, const struct mw_lua_source *file, int *line)
{
    size_t colon = mw_view_find(message, ':', 0);
    struct mw_view name = mw_view(message.data, colon);
    struct mw_view path = mw_view(file->path, file->path_len);
    bool is_cut = mw_view_starts_with(name, "...") && name.len - 3 < path.len;
    struct mw_view end = is_cut ? mw_view_from(path, path.len - (name.len - 3)) : path;
    if (!mw_view_equal(is_cut ? mw_view_from(name, 3) : name, end))
        return 0;
    size_t at = colon + 1;
    int number = 0;
    while (at < message.len && message.data[at] >= '0' && message.data[at] <= '9' &&
           number < 1000000)
        number = number * 10 + (message.data[at++] - '0');
    bool is_place = number > 0 && at + 1 < message.len && memcmp(message.data + at, ": ", 2) == 0;
    *line = number;
    return is_place ? at + 2 : 0;
}

static const struct mw_lua_source *split_one_place(struct mw_view *message,
                                                   const struct mw_lua_sources *sources, int *line)
{
    for (size_t i = 0; i < sources->count; i++) {
        size_t len = match_place(*message, &sources->files[i], line);
        if (len > 0) {
            *message = mw_view_from(*message, len);
            return &sources->files[i];
        }
    }
    return NULL;
}

/*
 * An error that was raised again, by error(e) or by a wrapped coroutine, has a place for each time;
 * the last one is where it came from. Gives how many there were.
 */
static unsigned split_places(struct mw_view *message, const struct mw_lua_sources *sources,
                             const struct mw_lua_source **file, int *line)
{
    const struct mw_lua_source *found;
    unsigned places = 0;
    int number = 0;
    for (; (found = split_one_place(message, sources, &number)); places++) {
        *file = found;
        *line = number;
    }
    return places;
}

/* ---- frames ---- */

static bool frame_at(lua_State *thread, int level, lua_Debug *ar)
{
    return lua_getstack(thread, level, ar) && lua_getinfo(thread, "Sln", ar);
}

static bool is_script_frame(const lua_Debug *ar)
{
    return ar->currentline > 0 && ar->source[0] == '@';
}

/* Where an error without a place of its own came from: the innermost function of the script. */
static const struct mw_lua_source *top_frame(lua_State *thread,
                                             const struct mw_lua_sources *sources, int *line)
{
    lua_Debug ar;
    for (int level = 0; frame_at(thread, level, &ar); level++) {
        if (!is_script_frame(&ar))
            continue;
        *line = ar.currentline;
        return mw_lua_sources_find(sources, mw_view_text(ar.source + 1));
    }
    return NULL;
}

size_t mw_lua_fault_trace(lua_State *thread, const char *handler, char *out, size_t size)
{
    lua_Debug ar;
    size_t len = 0, frames = 0;
    for (int level = 0; frames < MAX_FRAMES && frame_at(thread, level, &ar); level++) {
        if (!is_script_frame(&ar))
            continue;
        const char *name = ar.name ? ar.name : *ar.what == 'm' ? "the file" : handler;
        int wrote = snprintf(out + len, size - len, "%s%s:%d in %s", frames ? "\n" : "",
                             ar.source + 1, ar.currentline, name);
        if (wrote < 0 || (size_t)wrote >= size - len)
            break;
        len += (size_t)wrote;
        frames++;
    }
    out[len] = '\0';
    return frames;
}

bool mw_lua_fault_place(lua_State *thread, char *out, size_t size)
{
    lua_Debug ar;
    for (int level = 0; frame_at(thread, level, &ar); level++) {
        if (!is_script_frame(&ar))
            continue;
        snprintf(out, size, "%s:%d", ar.source + 1, ar.currentline);
        return true;
    }
    return false;
}

static void write_trace(lua_State *thread, const char *handler, unsigned places,
                        struct mw_fault *fault)
{
    size_t frames = mw_lua_fault_trace(thread, handler, fault->trace, sizeof(fault->trace));
    if (frames <= 1 && places <= 1) /* the place says it already */
        fault->trace[0] = '\0';
}

static void write_place(const struct mw_lua_source *file, int line, struct mw_fault *fault)
{
    if (!file)
        return;
    copy_text(fault->file, sizeof(fault->file), mw_view(file->path, file->path_len));
    fault->line = line;
    struct mw_view text = mw_lua_source_line(file, line);
    if (text.len > 0)
        snprintf(fault->frame, sizeof(fault->frame), "%4d | %.*s", line,
                 (int)(text.len < 400 ? text.len : 400), text.data);
}

/* ---- the whole ---- */

void mw_lua_fault_of_thread(lua_State *thread, int status, const struct mw_lua_where *where,
                            const char *handler, struct mw_fault *fault)
{
    char described[sizeof(fault->message)];
    struct mw_view message;
    int line = 0;
    unsigned places = 0;
    *fault = (struct mw_fault){ 0 };
    copy_text(fault->handler, sizeof(fault->handler), mw_view_text(handler));
    const struct mw_lua_source *file = NULL;
    if (lua_type(thread, -1) == LUA_TSTRING) {
        message = mw_lua_view(thread, -1);
        places = split_places(&message, where->sources, &file, &line);
    } else {
        describe_value(where->L, thread, described, sizeof(described));
        message = mw_view_text(described);
    }
    write_trace(thread, handler, places, fault);
    if (!file)
        file = top_frame(thread, where->sources, &line);
    copy_text(fault->message, sizeof(fault->message), message);
    write_place(file, line, fault);
    if (status != LUA_ERRMEM)
        mw_lua_hint(where, file, line, fault->message, fault->hint, sizeof(fault->hint));
}

void mw_lua_fault_no_memory(const struct mw_app *app, struct mw_fault *fault)
{
    double mib = 1024.0 * 1024.0, asked = (double)app->budget.asked_bytes;
    char more[64] = "";
    *fault = (struct mw_fault){ .kind = MW_FAULT_MEMORY };
    copy_text(fault->file, sizeof(fault->file), mw_view(app->name, app->name_len));
    if (asked >= mib)
        snprintf(more, sizeof(more), " and asked for %.1f MiB more", asked / mib);
    snprintf(fault->message, sizeof(fault->message),
             "not enough memory: the script holds %.1f MiB of its %.1f MiB%s",
             (double)app->mem.bytes / mib, (double)app->mem.max_bytes / mib, more);
    snprintf(fault->hint, sizeof(fault->hint),
             "look for tables that only ever grow, in state, conn.data and file-level locals");
}

/* Small frames use up the memory before Lua calls it a stack overflow; it is one all the same. */
static bool is_endless_recursion(lua_State *thread)
{
    lua_Debug ar;
    return thread && lua_getstack(thread, MANY_FRAMES, &ar);
}

static void write_no_memory(struct mw_app *app, lua_State *thread, struct mw_fault *fault)
{
    struct mw_fault memory;
    mw_lua_fault_no_memory(app, &memory);
    memcpy(fault->message, memory.message, sizeof(fault->message));
    memcpy(fault->hint, memory.hint, sizeof(fault->hint));
    if (is_endless_recursion(thread))
        snprintf(fault->hint, sizeof(fault->hint), "a function calls itself without end");
}

/* ---- stops ---- */

void mw_lua_fault_samples(const struct mw_lua_budget *budget, char *out, size_t size)
{
    unsigned sum = 0;
    size_t len = 0;
    for (size_t i = 0; i < budget->sample_count; i++)
        sum += budget->samples[i].count;
    for (size_t i = 0; i < budget->sample_count; i++) {
        const struct mw_lua_sample *sample = &budget->samples[i];
        int wrote = snprintf(out + len, size - len, "%s%s %u %%", len ? ", " : "", sample->place,
                             100 * sample->count / sum);
        if (wrote < 0 || (size_t)wrote >= size - len)
            break;
        len += (size_t)wrote;
    }
    out[len] = '\0';
}

/* The first line of the trace is the place: "chat.lua:12 in on_message". */
static void write_stop_place(struct mw_app *app, const struct mw_lua_sources *sources,
                             struct mw_fault *fault)
{
    const char *trace = app->budget.trace;
    const char *colon = strchr(trace, ':');
    if (!colon)
        return;
    struct mw_view path = mw_view(trace, (size_t)(colon - trace));
    struct mw_view number = mw_view_text(colon + 1);
    uint64_t line = 0;
    (void)mw_parse_u64(mw_view(number.data, mw_view_find(number, ' ', 0)), 0, INT_MAX, &line);
    write_place(mw_lua_sources_find(sources, path), (int)line, fault);
    fault->trace[0] = '\0';
    if (strchr(trace, '\n'))
        copy_text(fault->trace, sizeof(fault->trace), mw_view_text(trace));
}

static void write_cpu(const struct mw_app *app, struct mw_fault *fault)
{
    snprintf(fault->message, sizeof(fault->message),
             "stopped after %u ms of CPU time: one call may take %u ms",
             (unsigned)(app->budget.spent_us / 1000), app->budget.stop_ms);
    snprintf(fault->hint, sizeof(fault->hint),
             "end the loop, do the work in parts with sleep(0) between them, or raise script.cpu");
}

static void write_string(const struct mw_app *app, struct mw_fault *fault)
{
    snprintf(fault->message, sizeof(fault->message),
             "a string of %zu bytes is too long: one string may have %zu bytes",
             app->budget.wanted_bytes, app->budget.string_bytes);
    snprintf(fault->hint, sizeof(fault->hint),
             "keep what is long as pieces in a table, send a table where its JSON text is long, or "
             "raise script.string");
}

static void write_crowd(const struct mw_app *app, struct mw_fault *fault)
{
    snprintf(fault->message, sizeof(fault->message),
             "a table of %u keys would take too long to grow: %u of them share one place in it",
             app->budget.crowd_keys, app->budget.crowd_most);
    snprintf(fault->hint, sizeof(fault->hint),
             "numbers of a certain distance come into one place, and a client can choose them so: "
             "use text as the key, t[tostring(id)]");
}

void mw_lua_fault_stop(struct mw_app *app, const struct mw_lua_sources *sources,
                       struct mw_fault *fault)
{
    switch ((enum mw_lua_stop)app->budget.stop) {
    case MW_LUA_STOP_NONE:
        return;
    case MW_LUA_STOP_CPU:
        fault->kind = MW_FAULT_CPU;
        write_cpu(app, fault);
        break;
    case MW_LUA_STOP_MEMORY:
        fault->kind = MW_FAULT_MEMORY;
        write_no_memory(app, NULL, fault);
        break;
    case MW_LUA_STOP_STRING:
        fault->kind = MW_FAULT_MEMORY;
        write_string(app, fault);
        break;
    case MW_LUA_STOP_CROWD:
        fault->kind = MW_FAULT_CPU;
        write_crowd(app, fault);
        break;
    }
    write_stop_place(app, sources, fault);
    mw_lua_fault_samples(&app->budget, fault->samples, sizeof(fault->samples));
}

/* ---- calls ---- */

/* Whether the stop says more than that memory was refused. */
static bool is_told(const struct mw_app *app)
{
    return app->budget.stop == MW_LUA_STOP_STRING || app->budget.stop == MW_LUA_STOP_CROWD;
}

void mw_lua_fault_of_call(struct mw_app *app, const struct mw_lua_call *call, int status,
                          struct mw_fault *fault)
{
    struct mw_lua_where where = {
        .L = app->L,
        .sources = &call->version->sources,
        .is_script = true,
    };
    *fault = (struct mw_fault){ 0 };
    if (call->thread && status != LUA_OK)
        mw_lua_fault_of_thread(call->thread, status, &where, call->kind->name, fault);
    mw_lua_fault_stop(app, &call->version->sources, fault);
    if (status == LUA_ERRMEM && !is_told(app)) {
        fault->kind = MW_FAULT_MEMORY;
        write_no_memory(app, call->thread, fault);
    }
    if (!fault->file[0])
        copy_text(fault->file, sizeof(fault->file), mw_view(app->name, app->name_len));
    copy_text(fault->handler, sizeof(fault->handler), mw_view_text(call->kind->name));
    fault->version = call->version->number;
    fault->conn = call->conn;
}
