#include "moonwire/types.h"
