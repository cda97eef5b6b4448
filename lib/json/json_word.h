/* json_word - strings examined eight bytes at a time, on any CPU; for json_leaf.h. */
#define LH_TARGET
#define LH_BLOCK 8

#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

/* Gather the top bit of each byte into one bit per byte, as the wider versions have
 * it. */
static inline uint64_t gather(uint64_t v)
{
	return ((v & TOPS) >> 7) * 0x0102040810204080ull >> 56;
}

/* Set the top bit of each byte that is zero; exact, no borrow runs between bytes. */
static inline uint64_t zeroes(uint64_t v)
{
	return ~(((v & ~TOPS) + ~TOPS) | v) & TOPS;
}

static inline struct lh_look block_look(const char *p)
{
	uint64_t v = lh_load64(p), stop;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	stop = zeroes(v ^ ONES * '"') | zeroes(v ^ ONES * '\\') | zeroes(v & ONES * 0xe0);
	return (struct lh_look){ gather(stop), gather(v) };
}
