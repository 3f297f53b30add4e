/*
 * The floor of an echo: one read and one write a message, nothing between them. It is the floor of
 * connect, echo, close as well: accept, read, write, read the end, close.
 */
#include "bench/floors/floor.h"

int main(void)
{
    return floor_serve(floor_write);
}
