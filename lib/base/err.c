/* err.c - errors as values.  See lh/err.h. */
#include <lh/err.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Set every member but the text. */
static void init_err(struct lh_err *err, enum lh_code code, unsigned status)
{
	err->code = code;
	err->column = 0;
	err->status = status;
	err->coded = false;
}

int lh_err_set(struct lh_err *err, enum lh_code code, const char *fmt, ...)
{
	va_list ap;

	init_err(err, code, 0);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int lh_err_data(struct lh_err *err, unsigned status, const char *fmt, ...)
{
	va_list ap;

	init_err(err, LH_EDATA, status);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return -1;
}

unsigned lh_err_status(const struct lh_err *err)
{
	static const unsigned short of[] = {
		[LH_EDATA] = 400, [LH_EUSAGE] = 400, [LH_EIO] = 500, [LH_ENOMEM] = 500,
		[LH_ECORRUPT] = 500,
		[LH_ENET] = 502, [LH_ELOCKED] = 503, [LH_EINTR] = 503,
	};

	return err->status ? err->status : of[err->code];
}

int lh_err_sys(struct lh_err *err, const char *fmt, ...)
{
	int saved = errno;
	size_t n;
	va_list ap;

	init_err(err, saved == ENOMEM ? LH_ENOMEM : LH_EIO, 0);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s",
		 saved == ENOMEM ? "out of memory" : strerror(saved));
	errno = saved;
	return -1;
}

int lh_err_nomem(struct lh_err *err)
{
	return lh_err_set(err, LH_ENOMEM, "out of memory");
}

int lh_err_prefix(struct lh_err *err, const char *fmt, ...)
{
	char old[sizeof err->msg];
	size_t n;
	va_list ap;

	memcpy(old, err->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", old);
	return -1;
}
