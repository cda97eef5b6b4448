/* hash-v1, hash-v2 and hash-v3: the same bits everywhere, for any text. */
#include "check.h"
#include "embed/hashv1.h"
#include "embed/hashv3.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIM 768

static struct lh_err err;

static void embed(struct lh_hashv1 *h, const char *text, int raw, float *out)
{
	check(lh_hashv1_embed(h, text, strlen(text), raw, out, &err) == 0);
}

static double norm(const float *v, unsigned n)
{
	double s = 0;

	for (unsigned i = 0; i < n; i++)
		s += (double)v[i] * v[i];
	return sqrt(s);
}

static double cosine(const float *a, const float *b)
{
	double s = 0;

	for (unsigned i = 0; i < DIM; i++)
		s += (double)a[i] * b[i];
	return s / norm(a, DIM) / norm(b, DIM);
}

static uint64_t fnv(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 0x100000001b3;
	return h;
}

/* FNV-1a of the vector's bytes (little-endian floats), as lh-hash-v1(7) lists. */
static void the_known_answers_hold(void)
{
	static const unsigned dimensions[] = { 64, DIM, 4096 };
	static char words[4000];
	const struct { const char *text; uint64_t want[3]; } known[] = {
		{ "Forklift operator with OSHA 10 card, five years on reach trucks in Toledo, OH",
		  { 0x78f9a65330f9d2d3, 0xf86a8060392aaecd, 0x77c413fb9f55c232 } },
		{ "Certified welder, MIG and TIG, 6G pipe, available for second shift",
		  { 0xae670f3255c4ad7c, 0xa96a390873eaebfa, 0xe376fb3e29e2cedd } },
		{ "OSHA 30 safety lead for a construction site in Aurora, IL",
		  { 0xf710e7fdd068f341, 0xb707c4f913fc116b, 0xb877dbbe2b71b4aa } },
		{ "Dental assistant with X-ray licence, bilingual, Monday to Thursday",
		  { 0x142455b594a1d4e3, 0x4b297ff4348eac33, 0xbfe8bb87aa925f2c } },
		{ "CNC operator who sets up Haas mills and reads G-code, Detroit MI",
		  { 0xd24c0b9e8ff5c647, 0x538ded450b065acf, 0xf5f14a9d952987df } },
		{ "Café résumé ⭐ 你好",
		  { 0x7ff75a42dbd129fd, 0x009683d92cdf3959, 0x232281fae2849f69 } },
		{ "x",
		  { 0x0a852a0ebaf93f21, 0xab9038a52f261ea1, 0xc0cc150bf2b5c0e1 } },
		{ words,
		  { 0x89d77eb45fc2ee14, 0x465dffe80ecc2eab, 0x5b0034975ea5b71f } },
	};
	static float v[4096];

	for (int i = 0, n = 0; i < 20; i++)
		n += sprintf(words + n,
			     "%sWorker%d role%d forklift%d safety%d Shift%d in%d Toledo%d of%d "
			     "the%d loading%d",
			     i ? " " : "", i, i, i, i, i, i, i, i, i, i);
	for (size_t d = 0; d < 3; d++) {
		struct lh_hashv1 *h = lh_hash_new(LH_HASHV1_MODEL, dimensions[d], &err);

		check(h);
		for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
			embed(h, known[i].text, 0, v);
			check(fnv(v, dimensions[d] * sizeof *v) == known[i].want[d]);
		}
		lh_hashv1_free(h);
	}
}

struct known {
	const char *text;
	uint64_t want[2];	/* of DIM and of 64 dimensions */
};

static void known_answers_hold(const char *model, const struct known *known, size_t n)
{
	float v[DIM];

	for (int d = 0; d < 2; d++) {
		unsigned dimension = d ? 64 : DIM;
		struct lh_hashv1 *h = lh_hash_new(model, dimension, &err);

		check(h);
		for (size_t i = 0; i < n; i++) {
			embed(h, known[i].text, 0, v);
			check(fnv(v, dimension * sizeof *v) == known[i].want[d]);
		}
		lh_hashv1_free(h);
	}
}

/* As lh-hash-v2(7) lists. */
static void the_known_answers_of_hash_v2_hold(void)
{
	static const struct known known[] = {
		{ "x", { 0xab9038a52f261ea1, 0x0a852a0ebaf93f21 } },
		{ "Café résumé ⭐ 你好", { 0x52ae33bea73538b1, 0xefc44cff871e7638 } },
		{ "Forklift operator with OSHA 10 card, five years on reach trucks in Toledo, OH",
		  { 0x60796408518d1f32, 0xe0e1c696ae822c0e } },
		{ "Need 2 Welders in Gary IN starting at 06:00",
		  { 0xd6680da9a7a557e9, 0xbd151080c861dd15 } },
		{ "Worker role: Welder. Location: Gary, IN.",
		  { 0x29d75819c7c7f8f4, 0xe58d32e83145db51 } },
		{ "need 12 certified nursing assistants in salt lake city, Qt 5 Designer",
		  { 0x4b2bfa6abe6fa648, 0x31fc0d59c896b63d } },
	};

	known_answers_hold(LH_HASHV2_MODEL, known, sizeof known / sizeof *known);
}

/* As lh-hash-v3(7) lists. */
static void the_known_answers_of_hash_v3_hold(void)
{
	static const struct known known[] = {
		{ "x", { 0xab9038a52f261ea1, 0x0a852a0ebaf93f21 } },
		{ "Need 640 KB of memory in RAM", { 0x1349e38d0d8fbd0e, 0x380f663749c6f92f } },
		{ "Forklift operator with OSHA 10 card, five years on reach trucks in Toledo, OH",
		  { 0x60796408518d1f32, 0xe0e1c696ae822c0e } },
		{ "Need 2 Welders in Gary IN starting at 06:00",
		  { 0xd6680da9a7a557e9, 0xbd151080c861dd15 } },
		{ "Worker role: Welder. Location: Gary, IN.",
		  { 0x29d75819c7c7f8f4, 0xe58d32e83145db51 } },
		{ "Beacon needs 2 Millwrights in Gary, IN",
		  { 0x43ea87dc5cf1051d, 0x1b1f18671d56b08e } },
	};

	known_answers_hold(LH_HASHV3_MODEL, known, sizeof known / sizeof *known);
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

static double likeness(struct lh_hashv1 *h, const char *a, const char *b)
{
	float x[DIM], y[DIM];
	double sum = 0;

	embed(h, a, 0, x);
	embed(h, b, 0, y);
	for (int i = 0; i < DIM; i++)
		sum += (double)x[i] * y[i];
	return sum;
}

/* Which things are counted depends on the demand; a version is not a count. */
static void hash_v2_tells_what_is_counted(void)
{
	struct lh_hashv1 *h = lh_hash_new(LH_HASHV2_MODEL, DIM, &err);
	const char *demand = "Need 3 Forklift Operators in Aurora IL for Parallel Machining";

	check(h);
	check(likeness(h, demand, "Forklift Operator") > 2 * likeness(h, demand,
								      "Parallel Machining"));
	check(likeness(h, demand, "Aurora") > 2 * likeness(h, demand, "Parallel"));
	check(likeness(h, "needs 5 Welders today",
		       "Welder") > likeness(h, "about Qt 5 Welders today", "Welder") + 0.2);
	check(likeness(h, "needs 5 Welders today",
		       "Welder") > likeness(h, "needs 1:05 Welders today", "Welder") + 0.2);
	check(!lh_hash_new("hash-v4", DIM, &err) && err.code == LH_EUSAGE);
	check(lh_hash_knows("hash-v1") && lh_hash_knows("hash-v2") && !lh_hash_knows("hash-v"));
	lh_hashv1_free(h);
}

/* The smallest answer in full: "x" is a listed word too short for n-grams. */
static void the_letter_x_is_two_coordinates(void)
{
	struct lh_hashv1 *h = lh_hash_new(LH_HASHV1_MODEL, 64, &err);
	float v[64];

	check(h);
	embed(h, "x", 1, v);
	for (unsigned i = 0; i < 64; i++)
		check(v[i] == (i == 37 || i == 40 ? -27430912 * 0x1p-26f : 0));
	lh_hashv1_free(h);
}

static void a_vector_has_unit_length_unless_raw(struct lh_hashv1 *h)
{
	float v[DIM], r[DIM];

	embed(h, "Forklift operator in Toledo", 0, v);
	check(fabs(norm(v, DIM) - 1) < 1e-6);
	embed(h, "Forklift operator in Toledo", 1, r);
	check(norm(r, DIM) > 1.01);
	check(cosine(v, r) > 0.9999999);
}

static void a_text_without_letters_is_no_zero_vector(struct lh_hashv1 *h)
{
	static const char *texts[] = { "⭐", "--", "   ", "\t",	     "\n",
				       "…", "a",  "the", "\xcc\x81", "\xf0\x9f\x9a\x80",
				       "0" };
	float v[DIM];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		embed(h, texts[i], 0, v);
		check(fabs(norm(v, DIM) - 1) < 1e-6);
	}
	check(lh_hashv1_embed(h, "\0", 1, 0, v, &err) == 0);
	check(fabs(norm(v, DIM) - 1) < 1e-6);
}

static void empty_text_and_odd_dimensions_are_refused(struct lh_hashv1 *h)
{
	float v[DIM];

	check(lh_hashv1_embed(h, "", 0, 0, v, &err) == -1);
	check(!strcmp(err.msg, "empty text"));
	check(!lh_hash_new(LH_HASHV1_MODEL, 63, &err) && err.code == LH_EUSAGE);
	check(!lh_hash_new(LH_HASHV1_MODEL, 4097, &err) && err.code == LH_EUSAGE);
}

static void case_accents_and_plurals_fold(struct lh_hashv1 *h)
{
	static const char *same[][2] = {
		{ "Café résumé", "cafe resume" },
		{ "cafe\xcc\x81", "café" },
		{ "STRASSE", "straße" },
		{ "Ærø", "aero" },
		{ "Łódź", "łódź" },
		{ "ΑΘΗΝΑ", "αθηνά" },
		{ "МОСКВА", "москва" },
		{ "ＣＮＣ", "cnc" },
		{ "ﬁnish", "finish" },
		{ "forklifts", "forklift" },
	};
	float a[DIM], b[DIM];

	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		embed(h, same[i][0], 0, a);
		embed(h, same[i][1], 0, b);
		check(cosine(a, b) > 0.999);
	}
}

static void other_scripts_carry_meaning(struct lh_hashv1 *h)
{
	float a[DIM], b[DIM], c[DIM];

	embed(h, "叉车司机招聘", 0, a);
	embed(h, "招聘叉车司机", 0, b);
	embed(h, "牙科助理医生", 0, c);
	check(cosine(a, b) > 0.6);
	check(fabs(cosine(a, c)) < 0.2);
}

/* Words evicted from the cache, or never in it, give the same vectors. */
static void the_cache_does_not_show(struct lh_hashv1 *h)
{
	struct lh_hashv1 *fresh;
	char text[400];
	float a[DIM], b[DIM];

	for (unsigned i = 0; i < 40000; i++) {
		snprintf(text, sizeof text, "Word%u verb%u noun%u operators", i * 7 % 30011, i % 97,
			 i);
		embed(h, text, 0, a);
		if (i % 1999)
			continue;
		check((fresh = lh_hash_new(LH_HASHV1_MODEL, DIM, &err)) != NULL);
		embed(fresh, text, 0, b);
		check(!memcmp(a, b, sizeof a));
		lh_hashv1_free(fresh);
	}
}

static void any_length_and_dimension(void)
{
	size_t n = 2u << 20;
	char *text = malloc(n);
	float v[4096];

	check(text);
	for (unsigned d = 64; d <= 4096; d *= 4) {
		struct lh_hashv1 *h = lh_hash_new(LH_HASHV1_MODEL, d, &err);

		check(h);
		for (size_t i = 0; i < n; i++)
			text[i] = i % 7 ? 'a' + i * i % 23 : ' ';
		check(lh_hashv1_embed(h, text, n, 0, v, &err) == 0);
		check(fabs(norm(v, d) - 1) < 1e-6);
		memset(text, 'x', n);
		check(lh_hashv1_embed(h, text, n, 0, v, &err) == 0);
		check(fabs(norm(v, d) - 1) < 1e-6);
		lh_hashv1_free(h);
	}
	free(text);
}

int main(void)
{
	struct lh_hashv1 *h = lh_hash_new(LH_HASHV1_MODEL, DIM, &err);

	check(h);
	test(the_known_answers_hold());
	test(the_known_answers_of_hash_v2_hold());
	test(hash_v2_tells_what_is_counted());
	test(the_known_answers_of_hash_v3_hold());
	test(hash_v3_tells_staffing_from_prose());
	test(the_letter_x_is_two_coordinates());
	test(a_vector_has_unit_length_unless_raw(h));
	test(a_text_without_letters_is_no_zero_vector(h));
	test(empty_text_and_odd_dimensions_are_refused(h));
	test(case_accents_and_plurals_fold(h));
	test(other_scripts_carry_meaning(h));
	test(the_cache_does_not_show(h));
	test(any_length_and_dimension());
	lh_hashv1_free(h);
	return 0;
}
