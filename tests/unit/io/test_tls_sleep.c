#include "core/io/tls_sleep.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

/* A session of which there are but the buffers. */
static void count_one(struct mw_tls_pool *pool, mbedtls_ssl_context *ssl, size_t in, size_t out)
{
    mbedtls_ssl_init(ssl);
    ssl->MBEDTLS_PRIVATE(in_buf) = calloc(1, in);
    ssl->MBEDTLS_PRIVATE(out_buf) = calloc(1, out);
    mw_tls_pool_count_new(pool, ssl);
}

/* malloc gives a block more than was asked for where what would be left over is too small. */
TEST(no_buffer_is_wiped_beyond_its_end_when_the_first_of_all_was_larger)
{
    struct mw_tls_pool pool = { .kept_count = 0 };
    struct mw_tls_sleep sleep = { .is_asleep = false };
    mbedtls_ssl_context larger, usual;
    count_one(&pool, &larger, 16744, 16744);
    count_one(&pool, &usual, 16728, 16712);
    mw_tls_session_free(&sleep, &larger, &pool);
    mw_tls_session_free(&sleep, &usual, &pool);
    assert_int_equal(pool.kept_count, 2);
    assert_int_equal(pool.in_bytes, 16728);
    assert_int_equal(pool.out_bytes, 16712);
    mw_tls_pool_free(&pool);
    assert_int_equal(pool.made_count, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(no_buffer_is_wiped_beyond_its_end_when_the_first_of_all_was_larger),
    };
    return RUN(cases);
}
