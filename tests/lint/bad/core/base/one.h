#include "core/base/two.h"
