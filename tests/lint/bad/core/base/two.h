#include "core/base/one.h"
