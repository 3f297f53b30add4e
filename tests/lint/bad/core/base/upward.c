#include "core/proto/frame.h"
#include "one.h"
#include "core/base/gone.h"
