/* strcpy(a, b) in a comment, and "free(p)" in a text, are no calls. */
static void calls(void)
{
    puts("free(p)");
    char *copy = strdup(text);
    app->free(app);
    sprintf(line, "%s", copy);	
}
