/* confine.c - Landlock, seccomp and capabilities.  See confine.h. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "file.h"

/* Of a later ABI than the headers of Debian 12 have: which one is behind each. */
#define REFER (UINT64_C(1) << 13)	/* 2 */
#define TRUNCATE (UINT64_C(1) << 14)	/* 3 */
#define NET_PORT 2			/* 4: a kind of rule */
#define NET_BIND UINT64_C(1)		/* 4 */
#define NET_CONNECT UINT64_C(2)		/* 4 */
#define SCOPE_ALL UINT64_C(3)		/* 6: abstract sockets of others, signals to others */

struct ruleset {
	uint64_t files, net, scoped;
};

struct net_port {
	uint64_t allowed, port;
};

#define CHANGES \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OF_FILES \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_EXECUTE | TRUNCATE)
#define LINKS_ABI 2	/* before, no file can be renamed into another folder */

/* ---- Landlock ---- */

static long abi_of_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 1 ? 0 : abi;
}

static uint64_t changes_of(long abi)
{
	return CHANGES | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0);
}

static int new_ruleset(const struct ruleset *all, long abi, struct lh_err *err)
{
	const size_t size = abi >= 6 ? sizeof *all : offsetof(struct ruleset, scoped);
	int rules = (int)syscall(SYS_landlock_create_ruleset, all,
				 abi >= 4 ? size : sizeof all->files, 0);

	return rules < 0 ? lh_err_sys(err, "Landlock") : rules;
}

/* Allow something below a path; what is no folder is a file.  Fill *st, unless NULL. */
static int allow(int rules, const char *path, uint64_t access, struct stat *st)
{
	struct landlock_path_beneath_attr below = {
		.allowed_access = access, .parent_fd = open(path, O_PATH | O_CLOEXEC)
	};
	struct stat own;
	int rc = below.parent_fd < 0 ? -1 : 0;

	st = st ? st : &own;
	if (!rc)
		rc = fstat(below.parent_fd, st);
	if (!rc && !S_ISDIR(st->st_mode))
		below.allowed_access &= OF_FILES;
	if (!rc && below.allowed_access)
		rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
				  &below, 0);
	if (below.parent_fd >= 0)
		close(below.parent_fd);
	return rc;
}

/* ---- what a program may ---- */

void lh_confine_let(struct lh_confine *c, const char *path, unsigned may)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->v[i].path, path)) {
			c->v[i].may |= may;
			return;
		}
	lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
	c->v[c->n++] = (struct lh_may){ .path = lh_strndup(path, strlen(path)), .may = may };
}

void lh_confine_let_port(struct lh_confine *c, unsigned port)
{
	size_t i;

	for (i = 0; i < c->ports && c->port[i] != port; i++)
		;
	if (i == c->ports && i < LH_CONFINE_PORTS && port && port <= UINT16_MAX)
		c->port[c->ports++] = (uint16_t)port;
}

static void note_file(struct lh_may *m, const struct stat *st)
{
	m->dev = st ? st->st_dev : 0;
	m->ino = st ? st->st_ino : 0;
}

bool lh_confine_stale(const struct lh_confine *c)
{
	struct stat st;
	size_t i;

	for (i = 0; c->noted && i < c->n; i++) {
		const struct lh_may *m = &c->v[i];

		if (m->may & LH_MAY_STAY)
			continue;
		if (stat(m->path, &st) < 0 ? m->may & LH_MAY_MAKE && m->ino
					   : st.st_ino != m->ino || st.st_dev != m->dev)
			return true;
	}
	return false;
}

bool lh_confine_same(const struct lh_confine *a, const struct lh_confine *b)
{
	size_t i;

	if (a->n != b->n || a->ports != b->ports || a->net != b->net || a->starts != b->starts ||
	    a->privileges != b->privileges ||
	    memcmp(a->port, b->port, a->ports * sizeof *a->port) != 0)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].may != b->v[i].may || strcmp(a->v[i].path, b->v[i].path) != 0)
			return false;
	return true;
}

void lh_confine_free(struct lh_confine *c)
{
	while (c->n)
		free(c->v[--c->n].path);
	free(c->v);
	memset(c, 0, sizeof *c);
}

static int make_rules(struct lh_confine *c, long abi, struct lh_err *err)
{
	const uint64_t changes = changes_of(abi) | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	const struct ruleset all = {
		/* no link may be made: it would lead the next start elsewhere */
		.files = changes | READS | LANDLOCK_ACCESS_FS_EXECUTE |
			 LANDLOCK_ACCESS_FS_MAKE_SYM,
		.net = NET_BIND | NET_CONNECT, .scoped = SCOPE_ALL
	};
	int rules = new_ruleset(&all, abi, err);
	size_t i;

	c->noted = rules >= 0;
	for (i = 0; rules >= 0 && i < c->n; i++) {
		struct lh_may *m = &c->v[i];
		struct lh_err unused;	/* the program will say what is wrong */
		struct stat st;
		int rc;

		if (m->may & LH_MAY_MAKE && stat(m->path, &st) < 0)
			lh_own_mkdirs(m->path, 0700, &unused);
		rc = allow(rules, m->path,
			       (m->may & LH_MAY_READ ? READS : 0) |
			       (m->may & LH_MAY_WRITE ? changes : 0) |
			       (m->may & LH_MAY_RUN ? LANDLOCK_ACCESS_FS_EXECUTE |
						      LANDLOCK_ACCESS_FS_READ_FILE : 0), &st);

		note_file(m, rc < 0 && stat(m->path, &st) < 0 ? NULL : &st);
	}
	for (i = 0; rules >= 0 && abi >= 4 && i < c->ports; i++) {
		const struct net_port port = { NET_CONNECT, c->port[i] };

		syscall(SYS_landlock_add_rule, rules, NET_PORT, &port, 0);
	}
	return rules;
}

/* ---- seccomp ---- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define FOREIGN 0x40000000u		/* calls from here on are of the x32 ABI */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define FOREIGN 0xffffffffu
#endif

/* Calls that no filter makes, and by which others were attacked, or walked around. */
static const int never[] = {
	SYS_io_uring_setup, SYS_execveat, SYS_open_by_handle_at, SYS_bpf, SYS_perf_event_open,
	SYS_userfaultfd, SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root,
	SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_keyctl, SYS_add_key,
	SYS_request_key, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
	SYS_reboot, SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_acct,
	SYS_quotactl, SYS_process_vm_writev,
	/* Landlock has no right for these, which change files outside */
	SYS_fchmodat, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr,
#ifdef SYS_chmod
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
	452,	/* fchmodat2 */
	463,	/* setxattrat */
};

static void add(struct lh_confined *c, struct sock_filter f)
{
	if (c->n < LH_CONFINED_CODE)
		c->code[c->n++] = f;
}

static void load(struct lh_confined *c, size_t at)
{
	add(c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

/* Skip so many instructions if what was loaded is equal to v; if it is not. */
static void if_equal(struct lh_confined *c, uint32_t v, uint8_t yes, uint8_t no)
{
	add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, yes, no));
}

static void answer(struct lh_confined *c, uint32_t what)
{
	add(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

#define NUMBER offsetof(struct seccomp_data, nr)
#define LOW(i) offsetof(struct seccomp_data, args[i])	/* little endian */
#define HIGH(i) (LOW(i) + 4)
#define REFUSE(e) (SECCOMP_RET_ERRNO | (e))

/* One start passes: that with the number in the sixth argument, which the kernel does not read. */
static void refuse_starts(struct lh_confined *c)
{
	if_equal(c, SYS_execve, 0, 6);
	load(c, LOW(5));
	if_equal(c, (uint32_t)c->pass, 0, 3);
	load(c, HIGH(5));
	if_equal(c, (uint32_t)(c->pass >> 32), 0, 1);
	answer(c, SECCOMP_RET_ALLOW);
	answer(c, REFUSE(EACCES));
}

static void refuse_sockets(struct lh_confined *c, bool net)
{
	if (!net) {
		if_equal(c, SYS_socket, 0, 1);
		answer(c, REFUSE(EACCES));
		return;
	}
	if_equal(c, SYS_socket, 0, 6);
	load(c, LOW(0));
	if_equal(c, AF_INET, 3, 0);
	if_equal(c, AF_INET6, 2, 0);
	if_equal(c, AF_NETLINK, 1, 0);	/* the resolver asks which addresses there are */
	answer(c, REFUSE(EACCES));
	answer(c, SECCOMP_RET_ALLOW);
}

static void make_code(struct lh_confined *c, const struct lh_confine *from)
{
	size_t i;

	load(c, offsetof(struct seccomp_data, arch));
	if_equal(c, ARCH, 1, 0);
	answer(c, REFUSE(ENOSYS));
	load(c, NUMBER);
	add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1));
	answer(c, REFUSE(ENOSYS));
	if_equal(c, SYS_clone3, 0, 1);	/* its flags cannot be seen: glibc uses clone instead */
	answer(c, REFUSE(ENOSYS));
	for (i = 0; i < sizeof never / sizeof *never; i++)
		if_equal(c, (uint32_t)never[i], (uint8_t)(sizeof never / sizeof *never - i), 0);
	add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0));
	answer(c, REFUSE(EPERM));
	refuse_sockets(c, from->net);
	if (c->pass)
		refuse_starts(c);
	if_equal(c, SYS_clone, 0, 3);
	load(c, LOW(0));
	add(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1));
	answer(c, REFUSE(EPERM));
	answer(c, SECCOMP_RET_ALLOW);
}

static bool has_seccomp(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* ---- a program ---- */

int lh_confined_make(struct lh_confined *to, struct lh_confine *from, struct lh_err *err)
{
	const long abi = abi_of_landlock();

	*to = (struct lh_confined){ .rules = -1, .privileges = from->privileges };
	if (from->privileges)
		return 0;
	if (has_seccomp()) {
		if (!from->starts && getrandom(&to->pass, sizeof to->pass, 0) != sizeof to->pass)
			return lh_err_sys(err, "getrandom");
		make_code(to, from);
	}
	to->rules = abi >= LINKS_ABI ? make_rules(from, abi, err) : -1;
	return abi >= LINKS_ABI && to->rules < 0 ? -1 : 0;
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };
	unsigned long i;

	for (i = 0; i < 64; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	syscall(SYS_capset, &head, none);
}

int lh_confined_enter(const struct lh_confined *c)
{
	const struct sock_fprog code = { c->n, (struct sock_filter *)c->code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (c->privileges)
		return 0;
	drop_capabilities();
	/* It may look at itself, whose folder is known only now. */
	if (c->rules >= 0 && (allow(c->rules, "/proc/self", READS, NULL) < 0 ||
			      syscall(SYS_landlock_restrict_self, c->rules, 0) < 0))
		return -1;
	return c->n ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) : 0;
}

void lh_confined_end(struct lh_confined *c)
{
	if (c->rules >= 0)
		close(c->rules);
	c->rules = -1;
	explicit_bzero(&c->pass, sizeof c->pass);
}

const char *const lh_confine_parts[] = {
	"files and programs (Landlock)", "truncation of files (Landlock 3)",
	"connections (Landlock 4)", "signals (Landlock 6)", "calls, sockets (seccomp)", NULL
};

unsigned lh_confine_missing(void)
{
	const long abi = abi_of_landlock();

	return (abi < LINKS_ABI ? LH_LACKS_FILES : 0) | (abi < 3 ? LH_LACKS_TRUNCATE : 0) |
	       (abi < 4 ? LH_LACKS_CONNECT : 0) | (abi < 6 ? LH_LACKS_SIGNALS : 0) |
	       (has_seccomp() ? 0 : LH_LACKS_CALLS);
}
