# The table of pow10 in num.c: for k in -343..324, with b = floor(log2(10^k)), the 128 bits of
# ceil(10^k * 2^(127 - b)), high word first.  A number is 64 digits of 16 bits, lowest first; the
# factor 2^k of 10^k only moves its bits, so that it is of powers of five.
function row(up,    top, s, j, i, w, text) {
	for (top = 63; !a[top]; top--)
		;
	for (s = 1; a[top] * s < 32768; s *= 2)
		;
	for (j = 0; j < 8; j++)
		w[j] = (a[top - j] * s + int(a[top - j - 1] * s / 65536)) % 65536
	for (i = 0; i < top - 8; i++)
		up += a[i]
	up += a[top - 8] * s % 65536
	for (j = 7; up; j--) {
		up = ++w[j] == 65536
		w[j] %= 65536
	}
	for (j = 0; j < 8; j++)
		text = text (j % 4 ? "" : j ? ", 0x" : "0x") sprintf("%04x", w[j])
	return "{" text "},"
}

BEGIN {
	a[62] = 1			# 2^992 divided by 5^n, rounded down
	for (k = -1; k >= -343; k--) {
		r = 0
		for (i = 63; i >= 0; i--) {
			r = r * 65536 + a[i]
			a[i] = int(r / 5)
			r %= 5
		}
		out[k] = row(1)
	}
	for (i = 0; i < 64; i++)
		a[i] = !i
	for (k = 0; k <= 324; k++) {
		out[k] = row(0)
		for (r = i = 0; i < 64; i++) {
			r += a[i] * 5
			a[i] = r % 65536
			r = int(r / 65536)
		}
	}
	for (k = -343; k <= 324; k++)
		print out[k]
}
