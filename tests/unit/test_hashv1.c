/* hash-v1 without a tool: its cache does not show, any length is embedded; what is staffing.
 * tests/embed/hash-v1.bats has the bits of each model, by its page and another implementation. */
#include "check.h"
#include "embed/hashv1.h"
#include "embed/hashv3.h"
#include "vector/distance.h"

#include <math.h>

#define DIM 768

static struct lh_err err;

static struct lh_hashv1 *new_model(unsigned dimension)
{
	struct lh_hashv1 *h = lh_hash_new(LH_HASHV1_MODEL, dimension, &err);

	check_why(h, err.msg);
	return h;
}

/* Words evicted from the cache, or never in it, give the same vectors. */
static void the_cache_does_not_show(void)
{
	struct lh_hashv1 *h = new_model(DIM), *fresh;
	char text[400];
	float a[DIM], b[DIM];

	for (unsigned i = 0; i < 40000; i++) {
		size_t n = (size_t)sprintf(text, "Word%u verb%u noun%u operators", i * 7 % 30011,
					   i % 97, i);

		check(lh_hashv1_embed(h, text, n, 0, a, &err) == 0);
		if (i % 1999)
			continue;
		fresh = new_model(DIM);
		check(lh_hashv1_embed(fresh, text, n, 0, b, &err) == 0);
		check(!memcmp(a, b, sizeof a));
		lh_hashv1_free(fresh);
	}
	lh_hashv1_free(h);
}

static void any_length_and_dimension(void)
{
	size_t n = 2u << 20;
	char *text = malloc(n);
	float v[4096];

	check(text);
	for (unsigned d = 64; d <= 4096; d *= 4) {
		struct lh_hashv1 *h = new_model(d);

		for (size_t i = 0; i < n; i++)
			text[i] = i % 7 ? 'a' + i * i % 23 : ' ';
		check(lh_hashv1_embed(h, text, n, 0, v, &err) == 0);
		check(fabs(lh_vec_dot_f64(v, v, d) - 1) < 2e-6);
		memset(text, 'x', n);
		check(lh_hashv1_embed(h, text, n, 0, v, &err) == 0);
		check(fabs(lh_vec_dot_f64(v, v, d) - 1) < 2e-6);
		lh_hashv1_free(h);
	}
	free(text);
}

static void hash_v3_tells_staffing_from_prose(void)
{
	static const char *const staffing[] = {
		"we need 4 CNC operators in Detroit", "Looking for 2 Fitters at Acme in Gary IN",
		"3 welders gary in 06:00", "2 Millwrights Gary IN 06:00 Acme",
		"who can work as a welder in Salt Lake City, UT?", "Gary, IN welder with TIG",
		"Name: Ana. City: Gary. Role: Welder", "Skills: TIG, MIG. Location: Gary",
	}, *const prose[] = {
		"", " \t\n", "3", "Need 3", "Need three welders", "Multiple IN operators",
		"51 Franklin Street, Boston, MA 02110", "Role: admin", "Title: Moby. Author: M.",
		"\"role\": \"x\", \"skills\": \"y\"", "The program needs 64 MB of memory",
	};

	for (size_t i = 0; i < sizeof staffing / sizeof *staffing; i++) {
		check(lh_hashv3_staffing(staffing[i], strlen(staffing[i])));
		check(lh_hashv3_job_order(staffing[i], strlen(staffing[i])) == (i < 4));
	}
	for (size_t i = 0; i < sizeof prose / sizeof *prose; i++)
		check(!lh_hashv3_staffing(prose[i], strlen(prose[i])));
}

int main(void)
{
	test(hash_v3_tells_staffing_from_prose());
	test(the_cache_does_not_show());
	test(any_length_and_dimension());
	return 0;
}
