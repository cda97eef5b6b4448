/*
 * subject.h - what the commands of lh-subject share.
 *
 *     main.c       options and commands
 *     settings.c   what options and a configuration name
 *     places.c     the files in which data of persons may be, and what each is
 *     person.c     a person: the id, other texts, and whether a record is about them; the persons
 *                  that a command is about, their texts in rosters, and the row on who looked
 *     find.c       the hits of a person in all places, also in names, attributes and bytes
 *     find_rows.c  those in lines of files, and in what was made from rows or names them
 *     verify.c     find, and verify, a find that must be empty, as they print
 *     erase.c      the plan of an erasure, and the rounds that carry it out
 *     cut.c        how data are taken out of a place, by its kind
 *     receipt.c    the list of what is changed, and the receipt
 *     export.c     what is held about a person, as a folder
 *     redact.c     a row without other persons' data
 *     snapshots.c  the commands in copies of the snapshots of --snapshots
 *     requests.c   the commands as operations of requests
 *
 * A command finds first: places_list gives the files, find_person the rows, records and objects
 * that are a person's.  Erasing, exporting and verifying go by that list and nothing else.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "crypto/digest.h"
#include "json/json.h"

#include "base/table.h"
#include "base/time.h"
#include "json/bind.h"
#include "json/write.h"
#include "lineage/person_ids.h"
#include "text/texts.h"
#include "tool/op.h"
#include "tool/tool.h"

enum place_kind {
	PLACE_INDEX, PLACE_PLAYBOOK,	/* .lhv */
	PLACE_INDEX_LOG,	/* .lhv-log, which is read and erased with its index */
	PLACE_LOG,		/* lines of JSON: sessions, pathway, observer, decisions, access */
	PLACE_SOURCE, PLACE_SKIPS, PLACE_EVIDENCE, PLACE_SCORED, PLACE_RAG, PLACE_SFT,
	PLACE_PREFERENCE, PLACE_QUARANTINE, PLACE_REPLAYS, PLACE_RECEIPT,
	PLACE_DATASET,		/* a manifest of lh-catalog */
	PLACE_OBJECT,		/* of a store */
	PLACE_CACHE,		/* of lh-embed: SQLite, its -wal, -shm and -journal; of an
				   older lh-trace */
	PLACE_KEPT,		/* an index of a file of records in the cache of lh-search, ... */
	PLACE_KEPT_SOURCE,	/* ... and what says which file that is */
	PLACE_ROSTER,
	PLACE_MANIFEST, PLACE_CHAIN, PLACE_SECRET,	/* of a subject */
	PLACE_ERASURE,		/* a receipt or a list of _erasures */
	PLACE_TREE,		/* a transparency log; what an older witness has cosigned */
	PLACE_CURSOR,		/* LOG.cursor: how far rows were sent */
	PLACE_SPOOL,		/* a body that is received; .NAME.lh-tmp-PID of a writer */
	PLACE_OTHER,		/* a file of another program */
	PLACE_SPECIAL,		/* not a regular file, as a FIFO: it has no data */
	PLACE_KINDS
};

struct place {
	enum place_kind kind;
	const char *place;	/* what it was given as: "state", "root", "index", "log", "store";
				   "user-cache": it is looked at without being given */
	char *path;		/* of a file, as the place was given; of an object its name,
				   STORE/KEY or s3://BUCKET/KEY */
	char *store;		/* of an object or a dataset: the store; its key is after it */
	char *source;		/* of a file of the cache of lh-search: what it was made of */
	const char *root;	/* of a file of a root: the root as it was given; ... */
	size_t rel;		/* ... the path in it begins at this byte of path */
	uint64_t bytes;
	bool linked;		/* the file has several names */
	const char *why;	/* why it is not erasable; NULL: it is */
};
struct places {
	struct place *v;	/* sorted by path */
	size_t n, cap;
};
/* What a kind is, how it is searched and what an erasure does with it. */
extern const struct place_is {
	const char *name;
	enum {
		ROWS_NONE,		/* derived from others, read with them, or without data */
		ROWS_LINES, ROWS_WHOLE, ROWS_INDEX, ROWS_SECRET
	} rows;
	enum { BYTES_NONE, BYTES_TEXT, BYTES_RAW, BYTES_INDEX } bytes;	/* of verify */
	const char *action;
	enum {
		CUT_NONE,		/* it is made true with what it describes, or stays */
		CUT_LINES, CUT_INDEX, CUT_OBJECT, CUT_FILE
	} cut;
	unsigned rank;		/* of places at the same depth of lineage the lowest is first */
	const char *why;	/* why it is never erased */
} place_is[PLACE_KINDS];
/* PLACE_OTHER: there is none of that name. */
enum place_kind place_kind_named(struct lh_str name);

/* Why a row is a person's, the strongest reason first. */
enum hit_by {
	HIT_ID, HIT_LINEAGE, HIT_TEXT,
	HIT_NUMBER,		/* the id, which is a number, in a text */
	HIT_BYTES,		/* not in a row */
	HIT_NONE
};
/* What is done with a hit: kept, looked at, taken out by hand, erased; left, since --list does not
 * have it. */
enum rest { REST_KEPT, REST_LOOK, REST_BY_HAND, REST_LEFT, REST_UNLISTED, RESTS };
extern const char *const rest_name[RESTS];
/* Where bytes are: in the name of the file, an extended attribute, the ids of an index with those
 * that were deleted, the file as it is; what is packed in what is packed. */
enum hit_in { HIT_ROW, HIT_NAME, HIT_ATTRIBUTE, HIT_IDS, HIT_RAW, HIT_PACKED };

/* A row, a record of an index, or an object that is a person's. */
struct hit {
	size_t place;		/* in struct places */
	enum hit_by by;
	enum hit_in in;		/* by bytes */
	size_t text;		/* that is there, by bytes: 0 the id, else that of also */
	bool deleted;		/* by bytes: in an index or a database, of what was deleted */
	bool names;		/* by lineage: it has a text of the person, or the id in one, too */
	bool broken;		/* what was found begins or ends in another line */
	bool also;		/* it has a text of also, too, ... */
	enum lh_text_how how;	/* ... the surest of them so */
	uint64_t line;		/* of a file of lines, from 1; 0: none */
	char *id;		/* of a record of an index, the member of an archive, or the
				   attribute; NULL: none */
	char *members;		/* the members in which the person is, an array as JSON */
	bool hashed;
	unsigned char sha256[LH_HASH_SIZE];	/* of the row, if it is hashed */
	enum rest rest;		/* once all are found */
	const char *why;	/* it is taken out by hand */
	size_t others;		/* other persons in the row */
	size_t via;		/* the hit that it was made from; NO_HIT: none */
	size_t number;		/* among those found, while they are sorted */
	uint64_t at;		/* where its bytes are kept, ... */
	size_t n;		/* ... so many; 0: none are */
	bool whole;		/* they are a file by itself, not a line */
	const char *file;	/* of an export, NULL: it is in none; ... */
	uint64_t row;		/* ... from 1 */
	bool redacted;
};
#define NO_HIT SIZE_MAX
struct hits {
	struct hit *v;		/* sorted by path, line and id */
	size_t n, cap;
	bool incomplete;	/* a place was not searched, which was reported */
	bool erased;		/* the person's manifest says so */
	uint64_t opaque;	/* places that are neither text nor of these tools */
	/* Take the row of a hit, which is about to be added; NULL: it is not needed. */
	int (*row)(void *ctx, struct hit *h, struct lh_str row, struct lh_err *err);
	void *ctx;
};

/* A person.  Texts in also are compared with case folded, at word borders (texts.h). */
struct person {
	struct lh_str id;
	struct lh_str *also;
	size_t n_also;
	struct lh_buf text;	/* what also points into */
	size_t n_unused;	/* members of the roster that are not among these texts */
	struct lh_texts *texts;	/* id (number 0) and also (from 1), as they are searched for */
	struct known {		/* the same, as lh_needle_normal has them */
		struct lh_str normal;
		enum lh_text_kind kind;
		bool repeated;	/* an earlier one is compared alike */
	} *known;
	size_t n_kinds[LH_TEXT_KINDS];	/* texts of also, but for those */
	struct lh_buf normals;	/* what known points into */
	bool fold;		/* of the id */
	bool number;		/* the id is one, which others may have anywhere */
	bool thorough;		/* all is read, also bytes that are in no row */
	bool logged;		/* who asks writes the row on who looked */
};

/* What a request may ask for, too; brief: --short. */
struct wants {
	bool from_roster, brief, apply, id_only, text_too, with_log, unredacted;
};

struct settings {
	/* places */
	const char *config, *state, *subjects;
	struct lh_list root, index, playbook, log, store, cache, roster;
	/* the person */
	struct lh_list also;
	bool fold;
	/* erase, export, verify */
	const char *reason, *receipt, *list, *out, *tlog;
	struct lh_list key_file, tlog_key, snapshots;
	bool insecure_key;
	struct wants want;

	/* of the configuration */
	const char *access_log;
	struct lh_list elsewhere;	/* places out of reach */

	struct lh_serve_config *file;	/* of --config */
	struct lh_buf folder;		/* what subjects points to, unless that was given */
	struct places places;		/* once places_list was called */
	struct lh_intern listed;	/* the rows of --list, ... */
	struct lh_buf listed_id;	/* ... and whose they are */
	bool exported;			/* --out was written */

	/* Of a request, or of a snapshot: whom it is about, and where its lines go, which are else
	 * printed. */
	const struct asked *asked;
	struct lh_buf *lines;
	struct snapshot *snapshot;
	int status;			/* set: that of the exit */
	enum rest does;			/* set: the most that a plan does with a place */
};

/* What is still there of a person, as numbers of rows, records, objects and texts in bytes. */
struct remains {
	uint64_t left;		/* what an erasure should have taken out */
	uint64_t look;		/* rows that have only a text of the person, without --text-too */
	uint64_t by_hand;	/* in places that are not erasable */
	uint64_t kept;		/* files of the person that stay, as the audit log */
	uint64_t opaque;	/* places that are neither text, nor of these tools, nor unpacked */
};

/* What a command has looked at, and found there. */
struct extent {
	uint64_t snapshots, places, bytes, found;
	struct remains remains;
	bool incomplete;		/* a place was not searched, which was reported */
};

/* A snapshot, of which the state is a copy. */
struct snapshot {
	const char *dest;		/* its store, as it was given */
	char time[LH_TIME_LEN + 1];
	size_t rel;			/* the paths of its files begin at this byte */
	struct extent is;		/* set by a command, which prints no summary of it */
	struct lh_buf by_hand;		/* what an erasure leaves, as JSON, for the receipt */
};

/* A person who is asked about. */
struct asked {
	struct lh_str id;
	const struct lh_str *also;
	size_t n_also;
	bool logged;
};

enum {
	V_PLACES = 1, V_FIND = 2, V_EXPORT = 4, V_ERASE = 8, V_VERIFY = 16, V_REQUESTS = 32,
	V_PERSON = V_FIND | V_EXPORT | V_ERASE | V_VERIFY
};

/* ---- places.c ---- */

/* List all files of all places into s->places.  LH_EIO names one that cannot be read. */
int places_list(struct settings *s, struct lh_err *err);
void places_free(struct places *p);
/* Return the place of that path, or NULL. */
struct place *place_named(const struct settings *s, const char *path);
bool is_same_folder(const char *a, const char *b);
/* Open a file, or a copy of an object of S3; the descriptor is to be closed. */
int place_open(const struct place *p, struct lh_err *err);
/* The lines of an open file, unpacked, with their LF, each passed to fn; its result other than 0
 * ends that, and is returned.  LH_PAD bytes follow a line. */
struct place_lines {
	const char *path;
	int (*fn)(struct place_lines *l, struct lh_str line, struct lh_err *err);
	void *ctx;
	const char *member;		/* of an archive, PATH/NAME; NULL: none */
	uint64_t line;			/* its number, from 1 in each member */
	bool named;			/* an error is of fn, or names the line */
	bool office;			/* it is the document of an office */
	bool packed;			/* something is packed again in what is packed: ... */
	struct lh_err again;		/* ... what could not be read, of code LH_OK: all could */
};
int place_lines(struct place_lines *l, int fd, struct lh_err *err);
/* Return the key of an object. */
static inline const char *place_key(const struct place *p)
{
	return p->path + strlen(p->store) + 1;
}
/* Call fn with each manifest of a dataset among the places, and the folder of its catalog; -1 ends
 * that. */
struct lh_catalog_dataset;
typedef int dataset_fn(void *ctx, const struct lh_catalog_dataset *m, const char *folder,
		       struct lh_err *err);
int datasets_each(const struct settings *s, dataset_fn *fn, void *ctx, struct lh_err *err);
/* Write the path of a place; of a file of a snapshot the store, the time, and file, its path. */
void place_write_path(struct lh_writer *w, const struct settings *s, const char *path);
/* Write the members place, kind, path and source. */
void place_write(struct lh_writer *w, const struct settings *s, const struct place *p);
/* Return whether the file NAME.json, NAME.audit.jsonl or NAME.secret is this person's. */
bool place_is_own(const struct place *p, struct lh_str id);
/* Return whether a file is called after the person, as the log and what belongs to it are. */
bool place_is_named_after(const struct settings *s, const char *path, struct lh_str id);
/* Return whether a place is the list of an erasure that goes on. */
bool place_is_list(const struct place *p);
/* Return whether a place is of the cache of lh-search, which makes it again when it is gone. */
static inline bool place_is_kept(const struct place *p)
{
	return p->kind == PLACE_KEPT || p->kind == PLACE_KEPT_SOURCE;
}
/* ---- person.c ---- */

/* Prepare the texts of a person whose id and also are set, or have changed. */
int person_prepare(struct person *who, const struct settings *s, struct lh_err *err);
void person_free(struct person *who);
/* Add a text that names the person, which stays; person_prepare follows. */
void person_add(struct person *who, struct lh_str text);

/* Set the keyed hash of text i of also, in hex; false: an earlier one is compared alike. */
struct lh_hmac;
bool person_hash(const struct person *who, size_t i, const struct lh_hmac *key,
		char hex[2 * LH_HASH_SIZE]);
/* Write the member searched: which kinds of texts are searched for, and with a key their hashes. */
void write_searched(struct lh_writer *w, const struct person *who, const struct lh_hmac *key);
/* Write the numbers of texts of each kind, as members. */
void write_kinds(struct lh_writer *w, const size_t n[LH_TEXT_KINDS]);
/* The same for people: "2 names and 1 telephone", "searched for the id, 2 names". */
void put_kinds(struct lh_buf *out, const size_t n[LH_TEXT_KINDS]);
void put_searched(struct lh_buf *out, const struct person *who);
/* End a summary with its sentence, and print it; who has standard error on a terminal gets the
 * sentence there, too. */
int end_summary(struct lh_tool *tool, struct settings *s, struct lh_writer *w,
		struct lh_buf *sentence);
/* Append for people what of the snapshots was looked at. */
void put_snapshots(struct lh_buf *out, const struct settings *s, const struct extent *in);
/* Print a line, and free it; end with that status at least. */
int print_line(struct lh_tool *tool, struct settings *s, struct lh_buf *line);
void set_status(struct lh_tool *tool, struct settings *s, int status);

/* What a record has of a person. */
struct match {
	enum hit_by by;		/* the strongest reason */
	bool also;		/* one of the texts of also, not only the id in a text; ... */
	enum lh_text_how how;	/* ... how the surest of them was found */
	struct lh_buf members;	/* an array as JSON: paths such as metadata.candidate_id */
	size_t others;		/* ids of other persons */
};
/* Look through a value at any depth, and return whether anything of the person is in it.  record:
 * it is about a person, of a roster or an index, so that its id counts too. */
bool person_match(const struct person *who, const struct lh_value *v, bool record, struct match *m);
/* The same of bytes that are not JSON: the id counts wherever it is, with escapes of JSON too. */
bool person_match_bytes(const struct person *who, const char *p, size_t n, struct match *m);
/* Look for the texts in a string as it is, and without escapes of JSON or percent-encoding. */
struct seen {
	bool id;
	size_t text;		/* the number of the first other text; 0: none */
	enum lh_text_how how;	/* the surest of these was found */
};
void person_look(const struct person *who, struct lh_str s, struct lh_buf *buf, struct seen *seen);
/* Set *by to what a string or a number, text without escapes, has of the person; at, v and id as
 * lh_person_fn has them.  buf is for use during the call. */
void person_has(const struct person *who, const struct lh_person_at *at, const struct lh_value *v,
		bool id, struct lh_str text, struct lh_buf *buf, struct seen *seen,
		enum hit_by *by);
/* Return whether only the id matters, as bytes. */
bool person_is_quick(const struct person *who);
/* Return whether a text may have the id: of one with escapes that is not known. */
bool person_may_be_in(const struct person *who, const char *p, size_t n);

/* ---- find.c ---- */

/* Find all that is the person's in s->places. */
int find_person(struct lh_tool *tool, struct settings *s, struct person *who, struct hits *hits,
		struct lh_err *err);
/* The same in one place. */
int find_in(struct lh_tool *tool, struct settings *s, struct person *who, struct hits *hits,
	    size_t place, struct lh_err *err);
void hits_free(struct hits *hits);

/* Set the hash of a row, without a byte order mark, and white space around it. */
void row_hash(struct lh_str row, unsigned char hash[LH_HASH_SIZE]);
/* Read the rows of --list, lines of find. */
int read_listed(struct settings *s, struct lh_err *err);

/* Read the keys of --key-file. */
struct lh_chain_keys;
int read_keys(struct lh_tool *tool, const struct settings *s, struct lh_chain_keys *keys);
/* Append a row to the log of its subject. */
struct lh_chain_row;
int append_row(struct lh_tool *tool, const struct settings *s, const struct lh_chain_keys *keys,
	       const struct lh_chain_row *row);
/* Append a row on who looked to the log of the person, with the kinds of places of the hits, and
 * snapshots if the person is in one, where there are a key and a folder of logs. */
int looked(struct lh_tool *tool, const struct settings *s, const struct person *who,
	   const struct hits *hits, bool in_snapshots, const char *purpose);

#define PLACE_WHOLE_MAX ((size_t)256 << 20)	/* bytes of a file that is one JSON text */

/* ---- redact.c ---- */

/* Append a row without other persons' data: 1; 0 if it has none, and is as it was; -1. */
int redact_row(const struct person *who, const struct lh_intern *own, enum place_kind kind,
	       struct lh_str text, struct lh_buf *out, struct lh_err *err);
/* Note the runs and samples that a row names as the person's, those of own. */
int redact_note(struct lh_intern *own, enum place_kind kind, struct lh_str text,
		struct lh_err *err);

/* ---- verify.c ---- */

/* Write a hit as lh-subject find prints it: an object, w is in no other. */
void hit_write(struct lh_writer *w, const struct settings *s, const struct person *who,
	       const struct hits *hits, size_t i);

/* Append for people what remains: "; 2 rows are to be looked at; ". */
void put_remains(struct lh_buf *out, const struct remains *r);
/* Count what a thorough search has found.  print: each hit is a line; NULL: none is. */
int remains_of(struct lh_tool *print, struct settings *s, const struct person *who,
	       const struct hits *hits, struct remains *r);
/* Fail with LH_EIO if a place could not be read to its end. */
int check_complete(const struct hits *hits, struct lh_err *err);

/* ---- receipt.c ---- */

/* Write the member erasure: which texts the receipt of the person says were searched for, and
 * whether all of them are searched for now, and append a sentence of it. */
int erasure_compare(struct lh_tool *tool, struct settings *s, struct person *who,
		    struct lh_writer *w, struct lh_buf *sentence);

/* ---- commands ---- */

/* Call fn, which is of a command, for s->asked, else for the person of the operand, or without one
 * for those of the records of stdin, {"candidate_id","also":[...]}; the places are listed before.
 * With --from-roster the person has what the roster says. */
typedef int person_fn(struct lh_tool *tool, struct settings *s, struct person *who);
int each_person(struct lh_tool *tool, struct settings *s, unsigned command, person_fn *fn);

/* Complete settings that were given, and free what they hold. */
int settings_check(struct lh_tool *tool, void *settings);
int settings_free(struct lh_tool *tool, void *settings, int rc);

lh_op_command subject_places, subject_find, subject_export, subject_erase, subject_verify;
extern const struct lh_bind places_out[], find_out[];

/* ---- snapshots.c ---- */

/* Run find or verify in each snapshot, append what it prints to *lines, and set *sum to what is in
 * all of them. */
int snapshots_search(struct lh_tool *tool, struct settings *s, const struct person *who,
		     lh_op_command *command, struct lh_buf *lines, struct extent *sum);
/* Add what remains in snapshots. */
void remains_add(struct remains *to, const struct remains *r);

/* ---- requests.c ---- */

/* Run a command about a person whose log the asker writes, and collect its lines. */
int run_for(struct lh_tool *tool, struct settings *s, lh_op_command *command,
	    const struct asked *asked, struct lh_buf *lines);

struct request {
	struct lh_str op, id, reason;
	const struct lh_str *also;
	size_t n_also;
	struct wants want;
};
lh_op_fn answer_request;	/* of every command, by the name of its operation */
extern const struct lh_bind find_members[], export_members[], erase_members[], verify_members[],
	request_out[];

#endif
