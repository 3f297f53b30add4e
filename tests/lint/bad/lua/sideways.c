#include "core/proto/frame.h"
#include <lua.h>
