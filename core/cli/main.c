/* The entry; everything else is in the library, where tests reach it. */
#include "core/cli/commands.h"

int main(int argc, char **argv)
{
    return mw_cli_main(argc, argv);
}
