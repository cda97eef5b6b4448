// lh_hnsw.cc - hnswlib's insertion over a block of our own.  See lh_hnsw.h.
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

// hnswlib 0.6.2 defines these outside its namespace.
#define cpuid lh_hnsw_cpuid
#define xgetbv lh_hnsw_xgetbv
#define AVXCapable lh_hnsw_avx
#define AVX512Capable lh_hnsw_avx512
#include <hnswlib/hnswlib.h>

extern "C" {
#include "lh_mem.h"
#include "lh_vec.h"
}
#include "lh_hnsw.h"

#ifdef LH_FAULTS
// Let hnswlib's allocations fail where tests say.
void *operator new(size_t n)
{
	struct lh_err err;
	void *p = lh_calloc(n, 1, &err);

	if (!p)
		throw std::bad_alloc();
	return p;
}

void operator delete(void *p) noexcept
{
	free(p);
}

void operator delete(void *p, size_t) noexcept
{
	free(p);
}
#endif

namespace {

struct Metric {
	lh_vec_fn fn;
	lh_vec_rows_fn rows;
	float sign, offset;	// of what they return, to make a distance
	size_t n;
};

float one_minus_dot(const void *a, const void *b, const void *metric)
{
	auto m = static_cast<const Metric *>(metric);

	return 1 - m->fn(static_cast<const float *>(a), static_cast<const float *>(b), m->n);
}

float squared_l2(const void *a, const void *b, const void *metric)
{
	auto m = static_cast<const Metric *>(metric);

	return m->fn(static_cast<const float *>(a), static_cast<const float *>(b), m->n);
}

// What one thread searches with.
struct Scratch {
	std::vector<uint16_t> seen;
	uint16_t epoch = 0;
	std::vector<uint32_t> fresh;
	std::vector<const float *> rows;
	std::vector<float> d;

	Scratch(size_t n, size_t links) : seen(n), rows(links), d(links) { fresh.reserve(links); }

	void begin()
	{
		if (++epoch == 0) {
			std::fill(seen.begin(), seen.end(), 0);
			epoch = 1;
		}
	}
};

// The base constructor with a space alone sets nothing: what its other one
// would allocate is the caller's here, the rest is set as it does.
class Graph : public hnswlib::HierarchicalNSW<float> {
public:
	Graph(hnswlib::SpaceInterface<float> *space, const struct lh_hnsw &g)
	    : HierarchicalNSW(space)
	{
		data_level0_memory_ = nullptr;
		linkLists_ = nullptr;
		visited_list_pool_ = nullptr;
		cur_element_count = 0;

		metric_.n = g.dimension;
		metric_.fn = g.distance == LH_L2 ? lh_vec_l2sq() : lh_vec_dot();
		metric_.rows = g.distance == LH_L2 ? lh_vec_l2sq_rows() : lh_vec_dot_rows();
		metric_.sign = g.distance == LH_L2 ? 1 : -1;
		metric_.offset = g.distance == LH_L2 ? 0 : 1;
		fstdistfunc_ = g.distance == LH_L2 ? squared_l2 : one_minus_dot;
		dist_func_param_ = &metric_;
		data_size_ = g.dimension * sizeof(float);

		M_ = maxM_ = g.m;
		maxM0_ = 2 * g.m;
		ef_construction_ = std::max<size_t>(g.ef_construction, g.m);
		ef_ = 10;
		mult_ = 1 / std::log(1.0 * M_);
		revSize_ = 1.0 / mult_;
		size_links_level0_ = sizeof(uint32_t) * (1 + maxM0_);
		size_links_per_element_ = sizeof(uint32_t) * (1 + maxM_);
		size_data_per_element_ = g.stride;
		offsetData_ = g.vector_at;
		offsetLevel0_ = 0;
		label_offset_ = 0;
		max_elements_ = g.rows;
		num_deleted_ = 0;
		enterpoint_node_ = g.done ? g.entry : -1;
		maxlevel_ = g.done ? static_cast<int>(g.top) : -1;

		std::vector<std::mutex>(g.rows).swap(link_list_locks_);
		element_levels_.resize(g.rows);
		lists_.resize(g.rows);
		for (uint32_t r = 0; r < g.rows; r++) {
			element_levels_[r] = static_cast<int>(g.level[r + 1] - g.level[r]);
			lists_[r] = reinterpret_cast<char *>(g.upper + size_t(g.level[r]) * (1 + g.m));
		}
		data_level0_memory_ = static_cast<char *>(g.block);
		linkLists_ = lists_.data();
	}

	~Graph()
	{
		data_level0_memory_ = nullptr;
		linkLists_ = nullptr;
		cur_element_count = 0;
	}

	// addPoint for a row that is in place and has its level.
	void insert(hnswlib::tableint row, Scratch &s)
	{
		int level = element_levels_[row];
		const void *v = getDataByInternalId(row);
		std::unique_lock<std::mutex> own(link_list_locks_[row]);
		std::unique_lock<std::mutex> raise(global);
		int top = maxlevel_;
		hnswlib::tableint at = enterpoint_node_;

		if (level <= top)
			raise.unlock();
		if (top >= 0) {
			if (level < top)
				at = descend(at, v, top, level);
			for (int l = std::min(level, top); l >= 0; l--) {
				auto near = search(at, v, l, s);

				at = mutuallyConnectNewElement(v, row, near, l, false);
			}
		}
		if (level > top) {
			enterpoint_node_ = row;
			maxlevel_ = level;
		}
	}

	// Replaced links leave their last ones behind the count: clear them, the
	// file says that what is not used is zero.
	void tidy()
	{
		for (size_t r = 0; r < max_elements_; r++) {
			clear_behind(get_linklist0(r), maxM0_);
			for (int l = 1; l <= element_levels_[r]; l++)
				clear_behind(get_linklist(r, l), maxM_);
		}
	}

private:
	typedef std::pair<float, hnswlib::tableint> Near;
	typedef std::priority_queue<Near, std::vector<Near>, CompareByFirst> Heap;

	// searchBaseLayer, with the links of a row measured together, and leaving
	// nothing behind when memory runs out.
	Heap search(hnswlib::tableint at, const void *v, int level, Scratch &s)
	{
		Heap best, todo;
		float bound = fstdistfunc_(v, getDataByInternalId(at), dist_func_param_);

		s.begin();
		s.seen[at] = s.epoch;
		best.emplace(bound, at);
		todo.emplace(-bound, at);
		while (!todo.empty() && (-todo.top().first <= bound || best.size() < ef_construction_)) {
			hnswlib::tableint from = todo.top().second;

			todo.pop();
			measure(from, v, level, s);
			for (size_t i = 0; i < s.fresh.size(); i++) {
				if (best.size() >= ef_construction_ && s.d[i] >= bound)
					continue;
				todo.emplace(-s.d[i], s.fresh[i]);
				best.emplace(s.d[i], s.fresh[i]);
				if (best.size() > ef_construction_)
					best.pop();
				bound = best.top().first;
			}
		}
		return best;
	}

	// The distances of those that row links to and this search has not met.
	void measure(hnswlib::tableint row, const void *v, int level, Scratch &s)
	{
		s.fresh.clear();
		{
			std::unique_lock<std::mutex> lock(link_list_locks_[row]);
			const auto *list = get_linklist_at_level(row, level);
			size_t n = *list;

			for (size_t i = 1; i <= n; i++)
				__builtin_prefetch(&s.seen[list[i]], 1);
			for (size_t i = 1; i <= n; i++) {
				if (s.seen[list[i]] == s.epoch)
					continue;
				s.seen[list[i]] = s.epoch;
				s.fresh.push_back(list[i]);
			}
		}
		for (size_t i = 0; i < s.fresh.size(); i++)
			s.rows[i] = reinterpret_cast<const float *>(getDataByInternalId(s.fresh[i]));
		metric_.rows(static_cast<const float *>(v), s.rows.data(), s.fresh.size(), metric_.n, s.d.data());
		for (size_t i = 0; i < s.fresh.size(); i++)
			s.d[i] = metric_.offset + metric_.sign * s.d[i];
	}

	hnswlib::tableint descend(hnswlib::tableint at, const void *v, int from, int to)
	{
		float best = fstdistfunc_(v, getDataByInternalId(at), dist_func_param_);

		for (int l = from; l > to; l--) {
			for (bool changed = true; changed;) {
				std::unique_lock<std::mutex> lock(link_list_locks_[at]);
				auto *list = get_linklist(at, l);
				int n = getListCount(list);

				changed = false;
				for (int i = 1; i <= n; i++) {
					float d = fstdistfunc_(v, getDataByInternalId(list[i]), dist_func_param_);

					if (d < best) {
						best = d;
						at = list[i];
						changed = true;
					}
				}
			}
		}
		return at;
	}

	void clear_behind(hnswlib::linklistsizeint *list, size_t max)
	{
		size_t n = getListCount(list);

		if (n < max)
			memset(list + 1 + n, 0, (max - n) * sizeof *list);
	}

	std::vector<char *> lists_;
	Metric metric_;
};

class Space : public hnswlib::SpaceInterface<float> {
	size_t get_data_size() override { return 0; }
	hnswlib::DISTFUNC<float> get_dist_func() override { return nullptr; }
	void *get_dist_func_param() override { return nullptr; }
};

struct Build {
	Graph &graph;
	const struct lh_hnsw &g;
	std::atomic<uint32_t> next;
	std::atomic<bool> failed{ false };
	std::mutex guard;
	struct lh_err err;

	Build(Graph &to, const struct lh_hnsw &from) : graph(to), g(from), next(from.done) {}

	void fail(enum lh_code code, const char *what)
	{
		std::lock_guard<std::mutex> lock(guard);

		if (!failed.exchange(true))
			code == LH_ENOMEM ? lh_err_nomem(&err) : lh_err_set(&err, code, "graph: %s", what);
	}

	void work() noexcept
	{
		try {
			Scratch scratch(g.rows, 2 * g.m);

			for (uint32_t row; !failed && (row = next++) < g.rows;) {
				if (row % 64 == 0 && g.stop && g.stop())
					fail(LH_EINTR, "interrupted");
				else
					graph.insert(row, scratch);
			}
		} catch (const std::bad_alloc &) {
			fail(LH_ENOMEM, "");
		} catch (const std::exception &e) {
			fail(LH_ECORRUPT, e.what());
		} catch (...) {
			fail(LH_ECORRUPT, "unknown exception");
		}
	}
};

// Signals stay with the thread that called.
void spawn(std::vector<std::thread> &threads, unsigned n, Build &b)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	try {
		threads.reserve(n);
		while (threads.size() < n)
			threads.emplace_back([&b] { b.work(); });
	} catch (const std::exception &) {
		// Fewer threads do the same work.
	}
	pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

int build(struct lh_hnsw &g, unsigned jobs, struct lh_err *err)
{
	Space space;
	Graph graph(&space, g);
	Build b(graph, g);
	std::vector<std::thread> threads;

	spawn(threads, jobs > 1 ? jobs - 1 : 0, b);
	b.work();
	for (auto &t : threads)
		t.join();
	if (b.failed) {
		*err = b.err;
		return -1;
	}
	graph.tidy();
	g.entry = graph.enterpoint_node_;
	g.top = static_cast<uint32_t>(graph.maxlevel_);
	return 0;
}

}	// namespace

// splitmix64's finish spreads the bits; -ln(u) / ln(m) is HNSW's law.
uint32_t lh_hnsw_level(uint64_t seed, uint32_t row, uint32_t m)
{
	uint64_t z = seed * 0xd1342543de82ef95u + (row + uint64_t(1)) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return static_cast<uint32_t>(-std::log((double(z >> 11) + 1) * 0x1p-53) / std::log(double(m)));
}

int lh_hnsw_build(struct lh_hnsw *g, unsigned jobs, struct lh_err *err)
{
	try {
		return build(*g, jobs, err);
	} catch (const std::bad_alloc &) {
		return lh_err_nomem(err);
	} catch (const std::exception &e) {
		return lh_err_set(err, LH_ECORRUPT, "graph: %s", e.what());
	} catch (...) {
		return lh_err_set(err, LH_ECORRUPT, "graph: unknown exception");
	}
}
