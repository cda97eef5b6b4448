/* hnswlib.cc - the library hnswlib for C.  See hnswlib.h. */
#include <hnswlib/hnswlib.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <thread>
#include <sys/stat.h>

extern "C" {
#include "hnswlib.h"
void lh_no_memory(size_t bytes) __attribute__((noreturn));	/* base/mem.h */
}

namespace
{

/* The first bytes of a file. */
struct head {
	uint64_t level0_at, room, rows, stride, label_at, vector_at;
	int32_t top;
	uint32_t entry;
	uint64_t max_upper, max_base, m;
	double scale;
	uint64_t ef_construction;
};
static_assert(sizeof(head) == 96, "the head has 96 bytes");

const uint64_t LINKS_MAX = 0xffff;	/* of a list, whose number takes 16 bits */
using graph = hnswlib::HierarchicalNSW<float>;

/* The library chooses its kernels when it is compiled.  Ours are chosen when the program
 * runs. */
struct space : hnswlib::SpaceInterface<float> {
	lh_distance distance = LH_COSINE;
	size_t n = 0;
	static inline lh_vec_fn dot, l2sq;

	static float product(const void *a, const void *b, const void *n)
	{
		return 1 - dot((const float *)a, (const float *)b, *(const size_t *)n);
	}
	static float square(const void *a, const void *b, const void *n)
	{
		return l2sq((const float *)a, (const float *)b, *(const size_t *)n);
	}
	size_t get_data_size() override { return n * sizeof(float); }
	void *get_dist_func_param() override { return &n; }
	hnswlib::DISTFUNC<float> get_dist_func() override
	{
		dot = lh_vec_dot();
		l2sq = lh_vec_l2sq();
		return distance == LH_L2 ? square : product;
	}
};

/* Call fn; an exception becomes its result: of a lack of memory, the end. */
template <typename F> int guarded(F fn, lh_err *err)
{
	try {
		return fn();
	} catch (const std::bad_alloc &) {
		lh_no_memory(0);
	} catch (const std::exception &e) {
		return lh_err_set(err, LH_ECORRUPT, "hnswlib: %.200s", e.what());
	}
}

}

struct lh_hnswlib {
	lh_hnswlib_shape shape;
	struct space space;
	std::unique_ptr<graph> g;
};

static void set_shape(lh_hnswlib *h, const lh_hnswlib_shape &s)
{
	h->shape = s;
	h->space.distance = s.distance;
	h->space.n = s.dimension;
}

/* ---- building ---- */

struct lh_hnswlib *lh_hnswlib_new(const struct lh_hnswlib_shape *s)
{
	auto h = std::make_unique<lh_hnswlib>();
	lh_err unused;

	guarded([&] {
		set_shape(h.get(), *s);
		h->g = std::make_unique<graph>(&h->space, s->rows ? s->rows : 1, s->m,
					       s->ef_construction);
		return 0;
	}, &unused);
	return h.release();
}

int lh_hnswlib_add(struct lh_hnswlib *h,
		   void (*vector_of)(void *ctx, uint64_t row, float *out), void *ctx, unsigned jobs,
		   bool (*stop)(void), void (*progress)(void *ctx, uint64_t rows),
		   struct lh_err *err)
{
	const uint64_t rows = h->shape.rows;
	std::atomic<uint64_t> next{ 0 };
	std::atomic<bool> stopped{ false };
	std::vector<std::thread> threads;
	auto work = [&](bool caller) {
		std::vector<float> v(h->shape.dimension);
		lh_err unused;

		guarded([&] {
			for (uint64_t row; !stopped && (row = next++) < rows;) {
				vector_of(ctx, row, v.data());
				h->g->addPoint(v.data(), row);
				if (caller && stop && stop())
					stopped = true;
				if (caller && progress && row % 1024 < jobs)
					progress(ctx, row);
			}
			return 0;
		}, &unused);
	};
	sigset_t all, old;

	/* Signals are delivered to the calling thread only. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	guarded([&] {
		while (threads.size() + 1 < jobs)
			threads.emplace_back(work, false);
		return 0;
	}, err);
	pthread_sigmask(SIG_SETMASK, &old, nullptr);
	work(true);
	for (auto &t : threads)
		t.join();
	return stopped ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

/* ---- files ---- */

/* The library does not report a full disk. */
int lh_hnswlib_save(const struct lh_hnswlib *h, const char *path, struct lh_err *err)
{
	lh_err why;

	return guarded([&] {
		size_t n = h->shape.rows * h->g->size_data_per_element_;

		h->g->saveIndex(path);
		std::unique_ptr<lh_hnswlib> back(lh_hnswlib_load(path, h->shape.distance, &why));
		return back && back->shape.rows == h->shape.rows &&
		       !memcmp(h->g->data_level0_memory_, back->g->data_level0_memory_, n) ?
			       0 :
			       lh_err_set(err, LH_EIO, "cannot write: it is not what was written");
	}, err);
}

/* Check that the parts of an element are where a graph of this dimension has them, and that the
 * file has room for all elements. */
static int check_head(const head &h, uint64_t bytes, struct lh_err *err)
{
	if (h.level0_at || h.max_base < 1 || h.max_base > LINKS_MAX || h.max_upper < 1 ||
	    h.max_upper > LINKS_MAX || h.vector_at != 4 + 4 * h.max_base ||
	    h.label_at <= h.vector_at || (h.label_at - h.vector_at) % 4 ||
	    (h.label_at - h.vector_at) / 4 > LH_DIM_MAX || h.stride != h.label_at + 8)
		return lh_err_set(err, LH_ECORRUPT, "head: links or vectors have no place");
	if (h.rows > UINT32_MAX - 1 || h.room < h.rows ||
	    h.rows * (h.stride + 4) > bytes - sizeof h)
		return lh_err_set(err, LH_ECORRUPT, "head: %llu elements in %llu bytes",
				  (unsigned long long)h.rows, (unsigned long long)bytes);
	return 0;
}

struct lh_hnswlib *lh_hnswlib_load(const char *path, enum lh_distance distance, struct lh_err *err)
{
	auto h = std::make_unique<lh_hnswlib>();
	std::ifstream in(path, std::ios::binary);
	struct stat st;
	head head;

	if (!in.is_open() || stat(path, &st) < 0) {
		lh_err_sys(err, "cannot open");
		return nullptr;
	}
	if (!S_ISREG(st.st_mode) || !in.read(reinterpret_cast<char *>(&head), sizeof head)) {
		lh_err_set(err, LH_ECORRUPT, "not an index of hnswlib");
		return nullptr;
	}
	if (check_head(head, uint64_t(st.st_size), err) < 0)
		return nullptr;
	set_shape(h.get(), { distance, uint32_t((head.label_at - head.vector_at) / 4),
			     uint32_t(head.m), uint32_t(head.ef_construction), head.rows });
	if (guarded([&] {
		h->g = std::make_unique<graph>(&h->space, path, false, head.rows ? head.rows : 1);
		return h->g->label_lookup_.size() == h->g->cur_element_count ?
			       0 :
			       lh_err_set(err, LH_ECORRUPT, "two elements have one label");
	}, err) < 0)
		return nullptr;
	return h.release();
}

void lh_hnswlib_free(struct lh_hnswlib *h)
{
	delete h;
}

/* ---- reading and searching ---- */

struct lh_hnswlib_shape lh_hnswlib_get_shape(const struct lh_hnswlib *h)
{
	return h->shape;
}

struct lh_hnswlib_element lh_hnswlib_element(const struct lh_hnswlib *h, uint64_t e)
{
	auto id = hnswlib::tableint(e);

	return { h->g->getExternalLabel(id),
		 reinterpret_cast<const float *>(h->g->getDataByInternalId(id)),
		 h->g->isMarkedDeleted(id) };
}

int64_t lh_hnswlib_find(const struct lh_hnswlib *h, uint64_t label)
{
	auto found = h->g->label_lookup_.find(label);

	return found == h->g->label_lookup_.end() ? -1 : int64_t(found->second);
}

size_t lh_hnswlib_search(struct lh_hnswlib *h, const float *vector, size_t k, size_t ef,
			 uint64_t *labels, float *distances)
{
	lh_err unused;
	size_t n = 0;
	guarded([&] {
		h->g->ef_ = ef;
		auto best = h->g->searchKnn(vector, k);

		n = best.size();
		for (size_t i = n; i-- > 0; best.pop())
			std::tie(distances[i], labels[i]) = best.top();
		return 0;
	}, &unused);
	return n;
}
