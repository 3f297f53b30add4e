/*
 * Stands in for libFuzzer in the ordinary test run: gives a fuzz target its seeds, and then inputs
 * made from them, as many as are asked for and the same ones in every run. It learns nothing, so it
 * finds little that is new; it keeps what was found from coming back.
 *
 *   fuzz_TARGET LAST-INPUT COUNT SEEDS [DICTIONARY]     what the tests do
 *   fuzz_TARGET FILE                                    one input, as libFuzzer's programs take it
 *
 * The input that runs stands in the file LAST-INPUT, mapped, so that it is there whatever the death
 * of this program was; without one it is removed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define MAX_BYTES 4096
#define MAX_SEEDS 200
#define MAX_WORDS 200

struct texts {
    struct mw_buf list[MAX_SEEDS];
    size_t count;
};

static struct mw_mem mem;
static struct texts seeds, words;

/* ---- files ---- */

static bool read_file(const char *path, struct mw_buf *out)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t len;
    mw_buf_init(out, &mem, 0);
    if (!file)
        return false;
    while ((len = fread(block, 1, sizeof block, file)) > 0)
        must_put(out, mw_view(block, len));
    fclose(file);
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* In the order of their names, so that each machine makes the same inputs of them. */
static void read_seeds(const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, by_name);
    CHECK(count > 2 && count - 2 <= MAX_SEEDS); /* a target without seeds tests nothing */
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            CHECK(read_file(path, &seeds.list[seeds.count++]));
        free(names[i]);
    }
    free(names);
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : 0;
}

/* A word as libFuzzer's dictionaries have it: "text" with \" \\ and \xHH. */
static void read_word(struct mw_view line, struct mw_buf *word)
{
    mw_buf_init(word, &mem, 0);
    for (size_t i = 0; i < line.len && line.data[i] != '"'; i++) {
        char byte = line.data[i];
        if (byte == '\\' && i + 1 < line.len) {
            byte = line.data[++i];
            if (byte == 'x' && i + 2 < line.len) {
                byte = (char)(hex(line.data[i + 1]) << 4 | hex(line.data[i + 2]));
                i += 2;
            }
        }
        must_put(word, mw_view(&byte, 1));
    }
}

static void read_dictionary(const char *path)
{
    struct mw_buf text;
    if (read_file(path, &text)) {
        struct mw_view rest = mw_buf_view(&text);
        while (rest.len > 0) {
            struct mw_view line = take_line(&rest);
            size_t quote = mw_view_find(line, '"', 0);
            if (quote == line.len || line.data[0] == '#')
                continue;
            CHECK(words.count < MAX_WORDS);
            read_word(mw_view_from(line, quote + 1), &words.list[words.count++]);
        }
    }
    mw_buf_free(&text);
}

static void forget(struct texts *texts)
{
    while (texts->count > 0)
        mw_buf_free(&texts->list[--texts->count]);
}

/* ---- inputs ---- */

/* The input that runs. */
static struct {
    char *bytes;
    size_t len;
    int file;
} now;

static void map_input(const char *path)
{
    now.file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    CHECK(now.file >= 0 && ftruncate(now.file, MAX_BYTES) == 0);
    now.bytes = mmap(NULL, MAX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, now.file, 0);
    CHECK(now.bytes != MAP_FAILED);
}

static void replace(size_t at, size_t len, struct mw_view by)
{
    size_t behind = now.len - at - len;
    if (at + by.len + behind > MAX_BYTES)
        return;
    memmove(now.bytes + at + by.len, now.bytes + at + len, behind);
    if (by.len)
        memcpy(now.bytes + at, by.data, by.len);
    now.len = at + by.len + behind;
}

static struct mw_view any_part(struct mw_rng *rng, struct mw_view whole, size_t most)
{
    size_t at = mw_rng_below(rng, whole.len + 1), room = whole.len - at;
    size_t len = mw_rng_below(rng, (room < most ? room : most) + 1);
    return mw_view(whole.data + at, len);
}

/* A text that is put in: a word, a part of any seed, or an extreme byte. */
static struct mw_view any_text(struct mw_rng *rng)
{
    static const char bytes[] = "\x00\x01\x7D\x7E\x7F\x80\xC0\xED\xFE\xFF\r\n \t,;=\"%/.:0A[]{}\\";
    size_t kind = mw_rng_below(rng, 3);
    if (kind == 0 && words.count > 0)
        return mw_buf_view(&words.list[mw_rng_below(rng, words.count)]);
    if (kind == 1)
        return any_part(rng, mw_buf_view(&seeds.list[mw_rng_below(rng, seeds.count)]), 64);
    return mw_view(bytes + mw_rng_below(rng, sizeof bytes - 1), 1);
}

static void change(struct mw_rng *rng)
{
    size_t at = mw_rng_below(rng, now.len + 1), left = now.len - at;
    size_t some = mw_rng_below(rng, (left < 16 ? left : 16) + 1);
    switch (mw_rng_below(rng, 5)) {
    case 0:
        if (left)
            now.bytes[at] = (char)(now.bytes[at] ^ 1 << mw_rng_below(rng, 8));
        break;
    case 1:
        if (left)
            now.bytes[at] = (char)mw_rng_next(rng);
        break;
    case 2:
        replace(at, some, mw_view(NULL, 0));
        break;
    case 3:
        replace(at, 0, any_text(rng));
        break;
    default:
        replace(at, some, any_text(rng));
        break;
    }
}

static void run_input(void)
{
    CHECK(ftruncate(now.file, (off_t)now.len) == 0);
    LLVMFuzzerTestOneInput((const uint8_t *)now.bytes, now.len);
    CHECK(ftruncate(now.file, MAX_BYTES) == 0);
}

static void set_input(struct mw_view seed)
{
    now.len = seed.len < MAX_BYTES ? seed.len : MAX_BYTES;
    if (now.len)
        memcpy(now.bytes, seed.data, now.len);
}

static void run_made(size_t count)
{
    struct mw_rng rng;
    mw_rng_seed(&rng, 20);
    for (size_t i = 0; i < count; i++) {
        set_input(mw_buf_view(&seeds.list[i % seeds.count]));
        for (size_t n = 1 + mw_rng_below(&rng, 6); n > 0; n--)
            change(&rng);
        run_input();
    }
}

static int replay(const char *last, size_t count)
{
    map_input(last);
    printf("an input that fails stands in %s\n", last);
    fflush(stdout);
    for (size_t i = 0; i < seeds.count; i++) {
        set_input(mw_buf_view(&seeds.list[i]));
        run_input();
    }
    run_made(count);
    munmap(now.bytes, MAX_BYTES);
    close(now.file);
    unlink(last);
    printf("%zu seeds and %zu inputs made from them\n", seeds.count, count);
    return 0;
}

static int run_file(const char *path)
{
    struct mw_buf input;
    CHECK(read_file(path, &input));
    LLVMFuzzerTestOneInput((const uint8_t *)(input.data ? input.data : ""), input.len);
    mw_buf_free(&input);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count;
    mw_mem_init(&mem, NULL, 0);
    if (argc == 2)
        return run_file(argv[1]);
    if (argc < 4 || !mw_parse_u64(mw_view_text(argv[2]), 0, SIZE_MAX, &count)) {
        fprintf(stderr, "usage: fuzz_TARGET FILE | LAST-INPUT COUNT SEEDS [DICTIONARY]\n");
        return 2;
    }
    read_seeds(argv[3]);
    if (argc > 4)
        read_dictionary(argv[4]);
    int status = replay(argv[1], (size_t)count);
    forget(&seeds);
    forget(&words);
    CHECK(mw_mem_is_empty(&mem));
    return status;
}
