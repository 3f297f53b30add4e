/*
 * `moonwire dev` and `moonwire serve`: finds the project, reads its settings, and hands over to the
 * server, with the Lua engine.
 */
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/server/server.h"
#include "moonwire/engine_lua.h"

static int run(const struct mw_args *args, bool dev)
{
    const struct mw_engine *engine = mw_engine_lua();
    struct mw_config config;
    struct mw_places places;
    int code = mw_cli_settings(args, engine, dev, &config, &places);
    return code ? code : mw_server_run(&config, engine, &places);
}

int mw_cmd_dev(const struct mw_args *args)
{
    return run(args, true);
}

int mw_cmd_serve(const struct mw_args *args)
{
    return run(args, false);
}
