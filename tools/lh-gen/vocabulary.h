/*
 * The vocabulary of lh-gen: roles, places, clients, names and sentences.
 *
 * A weight is relative to the sum of its table.  A sentence has placeholders,
 * filled by gen_fill (draw.h):
 *
 *     %r role          %R roles, plural by the count    %a "a role", "an role"
 *     %n count         %y "3 years"                     %c client
 *     %t city          %s state                         %h starting time
 *     %p a workplace of the role's trade                %m miles
 *
 * No word has a character that JSON escapes.
 */
#ifndef GEN_VOCABULARY_H
#define GEN_VOCABULARY_H

#include <stddef.h>

enum gen_trade { TRADE_GOODS, TRADE_METAL, TRADE_FOOD, TRADE_CARE, TRADE_BUILD, TRADE_OFFICE,
		 TRADES };

struct gen_role {
	const char *name;
	unsigned weight;
	enum gen_trade trade;
	const char *skills[9];	/* each list ends in NULL */
	const char *certs[5];
	const char *duties[6];	/* whole sentences, may have placeholders */
};

struct gen_city {
	const char *name, *state, *area;	/* area: of its telephone numbers */
	enum gen_trade trade;			/* the main trade of the town */
	unsigned weight;
};

struct gen_name {
	const char *shown, *mail;	/* mail: its form in an address */
};

struct gen_archetype {
	const char *name;
	unsigned weight;
	const char *remarks[4];
};

struct gen_status {
	const char *name;
	unsigned weight;
};

extern const struct gen_role gen_roles[];
extern const size_t gen_n_roles;
extern const struct gen_city gen_cities[];
extern const size_t gen_n_cities;
extern const char *const gen_clients[];
extern const size_t gen_n_clients;
extern const struct gen_name gen_first_names[];
extern const size_t gen_n_first_names;
extern const struct gen_name gen_last_names[];
extern const size_t gen_n_last_names;
extern const struct gen_archetype gen_archetypes[];
extern const size_t gen_n_archetypes;
extern const struct gen_status gen_statuses[];
extern const size_t gen_n_statuses;
extern const char *const gen_workplaces[TRADES][5];
extern const char *const gen_openers[];
extern const size_t gen_n_openers;
extern const char *const gen_closers[];
extern const size_t gen_n_closers;
extern const char *const gen_hours[];
extern const size_t gen_n_hours;

#endif
