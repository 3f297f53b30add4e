/*
 * A program that calls nothing. Linked with one folder's library and those below, it shows that the
 * folder needs no other.
 */
int main(void)
{
    return 0;
}
