/*
 * validate_sms.c - how long a text message is, as carriers count it.
 *
 * 3GPP TS 23.038: a text of the GSM 7-bit default alphabet has one unit for each character, two
 * for one of its extension table; any other text is UTF-16.  What does not fit into one message
 * is sent in parts, each of which loses 6 bytes to its header, and no character is in two.
 */
#include "base/utf8.h"
#include "validate_parts.h"

/* In addition to ASCII: the default alphabet, and the extension table. */
static const uint16_t gsm[] = {
	0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xd1, 0xd6,
	0xd8, 0xdc, 0xdf, 0xe0, 0xe4, 0xe5, 0xe6, 0xe8, 0xe9, 0xec, 0xf1, 0xf2, 0xf6,
	0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};

/* Return the units of a character in GSM 7-bit; 0: it has none. */
static unsigned gsm_units(uint32_t c)
{
	size_t i;

	if (c < 0x80 && c)
		return strchr("\f^{}\\[~]|", (int)c) ? 2 :
			(c < ' ' && c != '\n' && c != '\r') || c == '`' || c == 0x7f ? 0 : 1;
	if (c == 0x20ac)
		return 2;
	for (i = 0; i < sizeof gsm / sizeof *gsm; i++)
		if (gsm[i] == c)
			return 1;
	return 0;
}

static unsigned units_of(uint32_t c, bool utf16)
{
	return utf16 ? 1 + (c > 0xffff) : gsm_units(c);
}

struct lh_sms lh_sms_measure(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text, *from = p, *end = p + n;
	struct lh_sms sms = { .parts = 1 };
	uint64_t part = 0, room;
	unsigned u;

	while (p < end && !sms.utf16)
		sms.utf16 = !gsm_units(lh_utf8_get(&p));
	for (p = from; p < end; )
		sms.units += units_of(lh_utf8_get(&p), sms.utf16);
	sms.one = sms.utf16 ? 70 : 160;
	if (sms.units <= sms.one)
		return sms;
	room = sms.utf16 ? 67 : 153;
	for (p = from; p < end; part += u) {
		u = units_of(lh_utf8_get(&p), sms.utf16);
		if (part + u > room) {
			sms.parts++;
			part = 0;
		}
	}
	return sms;
}
