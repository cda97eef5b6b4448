/* Weighted and clustered draws; see draw.h. */
#include "draw.h"

#define SLOTS 2048	/* above the sum of any table's weights */
#define HOME_CLIENTS 4

/* One byte for each unit of weight: a draw is one access. */
struct wheel {
	unsigned total;
	unsigned char slot[SLOTS];
};

static struct wheel roles, cities, archetypes, statuses;

static void wheel_add(struct wheel *w, unsigned what, unsigned weight)
{
	while (weight-- && w->total < SLOTS)
		w->slot[w->total++] = (unsigned char)what;
}

void gen_init(void)
{
	for (size_t i = 0; i < gen_n_roles; i++)
		wheel_add(&roles, i, gen_roles[i].weight);
	for (size_t i = 0; i < gen_n_cities; i++)
		wheel_add(&cities, i, gen_cities[i].weight);
	for (size_t i = 0; i < gen_n_archetypes; i++)
		wheel_add(&archetypes, i, gen_archetypes[i].weight);
	for (size_t i = 0; i < gen_n_statuses; i++)
		wheel_add(&statuses, i, gen_statuses[i].weight);
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct gen_rng gen_row(uint64_t seed, enum gen_kind kind, uint64_t row)
{
	return (struct gen_rng){ mix(mix(seed * 4 + kind) + row) };
}

unsigned gen_pick(struct gen_rng *r, unsigned n)
{
	r->s += UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(((mix(r->s) >> 32) * n) >> 32);
}

static unsigned spin(struct gen_rng *r, const struct wheel *w)
{
	return w->slot[gen_pick(r, w->total)];
}

/* Each city has a few clients of its own, the first the largest; one order in ten
 * comes from any other. */
const char *gen_client(struct gen_rng *r, const struct gen_city *city)
{
	static const unsigned char size[10] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, 3 };
	size_t home = (size_t)(city - gen_cities) * 7;

	if (gen_pick(r, 10) == 0)
		return gen_clients[gen_pick(r, gen_n_clients)];
	_Static_assert(HOME_CLIENTS == 4, "size[] names each of them");
	return gen_clients[(home + size[gen_pick(r, sizeof(size))] * 11) % gen_n_clients];
}

const struct gen_archetype *gen_archetype(struct gen_rng *r)
{
	return &gen_archetypes[spin(r, &archetypes)];
}

const struct gen_status *gen_status(struct gen_rng *r)
{
	return &gen_statuses[spin(r, &statuses)];
}

void gen_scene(struct gen_rng *r, struct gen_scene *s)
{
	s->city = &gen_cities[spin(r, &cities)];
	s->role = &gen_roles[spin(r, &roles)];
	if (s->role->trade != s->city->trade && gen_pick(r, 4) == 0)
		s->role = &gen_roles[spin(r, &roles)];
	s->client = gen_client(r, s->city);
	s->hour = gen_hours[gen_pick(r, 1 + gen_pick(r, gen_n_hours))];
	s->count = 1 + gen_pick(r, 1 + gen_pick(r, 12));
	s->years = 1 + gen_pick(r, 1 + gen_pick(r, 24));
	s->miles = 5 * (1 + gen_pick(r, 9));
	s->workplace = gen_workplaces[s->role->trade][gen_pick(r, 5)];
}

void gen_some(struct gen_rng *r, unsigned n, unsigned k, unsigned char *which)
{
	unsigned char all[16];

	for (unsigned i = 0; i < n; i++)
		all[i] = i;
	for (unsigned i = 0; i < k; i++) {
		unsigned at = i + gen_pick(r, n - i);

		which[i] = all[at];
		all[at] = all[i];
	}
}

static void fill_hole(struct lh_buf *b, char hole, const struct gen_scene *s)
{
	switch (hole) {
	case 'a':
		lh_buf_puts(b, strchr("AEIOU", s->role->name[0]) ? "an " : "a ");
		/* fallthrough */
	case 'r':
		lh_buf_puts(b, s->role->name);
		break;
	case 'R':
		lh_buf_puts(b, s->role->name);
		if (s->count > 1)
			lh_buf_putc(b, 's');
		break;
	case 'n':
		lh_buf_u64(b, s->count);
		break;
	case 'm':
		lh_buf_u64(b, s->miles);
		break;
	case 'y':
		lh_buf_u64(b, s->years);
		lh_buf_puts(b, s->years > 1 ? " years" : " year");
		break;
	case 'c':
		lh_buf_puts(b, s->client);
		break;
	case 't':
		lh_buf_puts(b, s->city->name);
		break;
	case 's':
		lh_buf_puts(b, s->city->state);
		break;
	case 'h':
		lh_buf_puts(b, s->hour);
		break;
	case 'p':
		lh_buf_puts(b, s->workplace);
		break;
	}
}

void gen_fill(struct lh_buf *b, const char *sentence, const struct gen_scene *s)
{
	const char *hole;

	while ((hole = strchr(sentence, '%'))) {
		lh_buf_add(b, sentence, (size_t)(hole - sentence));
		fill_hole(b, hole[1], s);
		sentence = hole + 2;
	}
	lh_buf_puts(b, sentence);
}
