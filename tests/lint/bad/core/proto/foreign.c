#include <uv.h>
#include <windows.h>
