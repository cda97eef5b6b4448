/*
 * person_ids - where a record names persons.
 *
 *     static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v,
 *                          bool id, struct lh_err *err) { ... }
 *
 *     rc = lh_person_walk(&value, false, on_scalar, me, err);
 *
 * The id of a person is the value of a member candidate_id, worker_id, subject or answer_id at
 * any depth, a string or a number, or each element of an array that is one of these.  An id of
 * an object is one if the object is about a person: it has a corpus, metadata or found, as
 * answers and decisions have, or a name, an address or a telephone.  The subject of a message,
 * an object with a sender, is none.
 *
 * These names are listed here alone.
 *
 * Threads: any number.
 */
#ifndef LH_PERSON_IDS_H
#define LH_PERSON_IDS_H

#include "json/write.h"

/* A place in a value: the member or element, and what it is in. */
struct lh_person_at {
	const struct lh_person_at *up;	/* NULL: the value itself */
	struct lh_value key;		/* p NULL: an element of an array, ... */
	size_t i;			/* ... its number */
	const struct lh_value *in;	/* the object or the array; NULL: the value itself */
};

/* Take a string or a number, or the key of a member (v is then at->key); id: it is the id of a
 * person.  A result other than 0 ends the walk and is returned. */
typedef int lh_person_fn(void *ctx, const struct lh_person_at *at, const struct lh_value *v,
			 bool id, struct lh_err *err);

/* Walk through a checked value.  of_persons: it is a record about a person, so that its id is
 * that person's. */
int lh_person_walk(const struct lh_value *v, bool of_persons, lh_person_fn *fn, void *ctx,
		   struct lh_err *err);

/* Return whether members of that name have ids of persons, but for the subject of a message. */
bool lh_person_names(const struct lh_value *key);
/* The same for the name of a column, which has no case. */
bool lh_person_column(const char *name, size_t n);

/* Return whether a member of an object has the id of a person: it has such a name, and is not the
 * subject of a message; *corpus: that of an answer that a playbook names, which decides, or .p is
 * NULL. */
bool lh_person_is_id(const struct lh_value *object, const struct lh_value *key,
		     struct lh_value *corpus);

/* Return whether the text of a record may have the id of a person: it is parsed only then. */
bool lh_person_may_be_in(struct lh_str json);
/* Set *in to the object with the member that an id is the value of, or is in a list of, if the id
 * is a person's: whether it is.  at and id as an lh_person_fn has them. */
bool lh_person_of(const struct lh_person_at *at, bool id, const struct lh_value **in,
		  struct lh_value *corpus);

struct lh_intern;
/* Append the texts that a record names its person by, each with a NUL: a name, also one in parts,
 * and addresses and telephones, of members such as full_name, workEmail and home_phone_2; those of
 * fewer bytes than `least` are left out.  *unused gets the names of members that are not among
 * them. */
int lh_person_texts(const struct lh_value *record, size_t least, struct lh_buf *texts,
		    struct lh_intern *unused, struct lh_err *err);

/* Whose data an answer has used: what a filter with --attribute writes as the last member of its
 * answer, "persons":[{"id":"w-7","members":["name","phone"]}], which lh-serve takes off.  A person
 * may be there more than once; one with a "corpus" is a person if that is of persons.  Zero at
 * first. */
struct lh_persons_used {
	struct lh_buf list, copy;
	struct lh_record scan;
};
void lh_persons_used_reset(struct lh_persons_used *u);
void lh_persons_used_free(struct lh_persons_used *u);
/* Add the persons whom the metadata of a record names; if none, and it is of a corpus of persons,
 * the person of that id.  The members are those of the metadata, or this one alone. */
void lh_persons_used_record(struct lh_persons_used *u, bool of_persons, struct lh_str id,
			    struct lh_str metadata, const char *member);
/* Add those of results: the persons whom one names, or else its own id, with its corpus, which
 * decides. */
void lh_persons_used_results(struct lh_persons_used *u, const struct lh_value *results);
/* Add a person by name. */
void lh_persons_used_id(struct lh_persons_used *u, struct lh_str id, const char *member);
/* Add the persons whom a condition names. */
void lh_persons_used_condition(struct lh_persons_used *u, const struct lh_value *v,
			       const char *member);
/* The member, in the answer of an operation; write it. */
#define LH_PERSONS_USED_MEMBER \
	{ LH_BIND_ONLY("persons", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY), \
	  .about = "with --attribute: whose data it has used, and which members of it" }
void lh_persons_used_write(const struct lh_persons_used *u, struct lh_writer *w);

/* Append the path of a place, "fills.0.candidate_id". */
int lh_person_path(const struct lh_person_at *at, struct lh_buf *out, struct lh_err *err);

#endif
