/* filter_within.c - circles on the earth, which is taken for a sphere.  See filter_parts.h. */
#include "filter_parts.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"

#define EARTH_KM 6371.0088
#define MILE_KM 1.609344

/* Return the sine and cosine of an angle in degrees, exact at its quarters: the poles are one
 * point each, and so are both sides of the date line. */
static void sine_cosine(double degrees, double *sine, double *cosine)
{
	int quarter;
	double left = remquo(degrees, 90, &quarter) * (M_PI / 180);
	double s = sin(left), c = cos(left);

	*sine = quarter & 1 ? c : s;
	*cosine = quarter & 1 ? -s : c;
	if (quarter & 2) {
		*sine = -*sine;
		*cosine = -*cosine;
	}
}

/* Set the place on the unit sphere; false for what is no latitude and longitude. */
static bool set_place(double at[3], double lat, double lon)
{
	double sine, cosine, y, x;

	if (!(fabs(lat) <= 90 && fabs(lon) <= 360))
		return false;
	sine_cosine(lat, &sine, &cosine);
	sine_cosine(lon, &y, &x);
	at[0] = cosine * x;
	at[1] = cosine * y;
	at[2] = sine;
	return true;
}

bool lh_circle_has(const struct filter_circle *c, double lat, double lon)
{
	double at[3], apart = 0, sum = 0;
	int i;

	if (!set_place(at, lat, lon))
		return false;
	for (i = 0; i < 3; i++) {
		apart += (at[i] - c->at[i]) * (at[i] - c->at[i]);
		sum += (at[i] + c->at[i]) * (at[i] + c->at[i]);
	}
	/* of two unit vectors, which holds from next to each other to the antipodes */
	return 2 * EARTH_KM * atan2(sqrt(apart), sqrt(sum)) <= c->km;
}

static bool number(const struct lh_value *v, double *to)
{
	const char *end;

	if (v->type != LH_NUMBER)
		return false;
	*to = lh_f64_read(v->p, v->p + v->n, &end);
	return true;
}

bool lh_circle_has_object(const struct filter_circle *c, const struct lh_value *v)
{
	struct lh_value lat, lon;
	double y, x;

	if (v->type != LH_OBJECT ||
	    !(lh_value_get(v, "lat", &lat) || lh_value_get(v, "latitude", &lat)) ||
	    !(lh_value_get(v, "lon", &lon) || lh_value_get(v, "longitude", &lon)))
		return false;
	return number(&lat, &y) && number(&lon, &x) && lh_circle_has(c, y, x);
}

/* Read a number with blanks around it, and step over it and what must follow. */
static bool read_part(const char **at, char after, double *to)
{
	size_t n;
	char *end;

	*at += strspn(*at, " ");
	n = strspn(*at, "+-.0123456789eE");
	*to = strtod(*at, &end);
	if (!n || end != *at + n)
		return false;
	*at = end + strspn(end, " ");
	return *(*at)++ == after;
}

bool lh_circle_has_text(const struct filter_circle *c, struct lh_str text)
{
	const char *at;
	char copy[64];
	double lat, lon;

	if (text.n >= sizeof copy || memchr(text.p, '\0', text.n))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	at = copy;
	return read_part(&at, ',', &lat) && read_part(&at, '\0', &lon) &&
		lh_circle_has(c, lat, lon);
}

bool lh_circle_is(const struct lh_value *v)
{
	struct lh_value unused;

	return v->type == LH_OBJECT &&
		(lh_value_get(v, "lat", &unused) || lh_value_get(v, "lon", &unused));
}

int lh_circle_set(struct filter_circle *c, const struct lh_value *v, struct lh_err *err)
{
	static const char *const name[] = { "lat", "lon", "miles", "km" };
	double is[4] = { NAN, NAN, NAN, NAN }, to;
	struct lh_iter it;
	int i;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "filter: \"within\" must be an object: "
				  "{\"lat\":41.9,\"lon\":-87.6,\"miles\":25}");
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		for (i = 0; i < 4 && !lh_value_is(&it.key, name[i], strlen(name[i])); i++)
			;
		if (i == 4 || !number(&it.val, &to))
			return lh_err_set(err, LH_EDATA, "filter: \"within\" has numbers alone: "
					  "lat, lon, and miles or km");
		is[i] = to;
	}
	if (!set_place(c->at, is[0], is[1]))
		return lh_err_set(err, LH_EDATA, "filter: \"within\" needs lat, -90 to 90, and "
				  "lon, -360 to 360");
	c->km = isnan(is[2]) ? is[3] : is[2] * MILE_KM;
	if (isnan(is[2]) == isnan(is[3]) || !(c->km >= 0))
		return lh_err_set(err, LH_EDATA, "filter: \"within\" needs miles or km, 0 or more");
	return 0;
}
