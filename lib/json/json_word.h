/* json_word - strings looked at eight bytes at a time, on any CPU; for json_leaf.h. */
#define LH_TARGET
#define LH_BLOCK 8

#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

/* One bit per byte, as the wider kernels have it: gather the bytes' top bits. */
static inline uint64_t gather(uint64_t v)
{
	return ((v & TOPS) >> 7) * 0x0102040810204080ull >> 56;
}

/* Top bit set where the byte is zero; exact, no borrow runs between bytes. */
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
