/* Writes to the log. */
static const char *const messages[] = { "written", "half of it" };
