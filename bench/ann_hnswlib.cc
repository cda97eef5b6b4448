// ann_hnswlib.cc - hnswlib as it comes, driven directly: the peer.
// LIBS:
//
//     ann_hnswlib build DATA DIM M EFC THREADS INDEX
//     ann_hnswlib query INDEX QUERIES DIM K TRUTH EF...
//     ann_hnswlib once INDEX QUERIES DIM K EF
//     ann_hnswlib truth DATA QUERIES DIM K TRUTH
//
// Inner product over unit vectors; build says rows/s and peak MiB, query says
// queries/s and recall at each ef, after a round that warms up; once loads, asks one query, and says
// the milliseconds that both took; truth writes the result of an exact scan.
#include <hnswlib/hnswlib.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "ann_data.h"

static void build(char **a)
{
	matrix m = matrix_read(a[0], strtoul(a[1], nullptr, 10));
	clocks from = clocks_now();
	hnswlib::InnerProductSpace space(m.dim);
	hnswlib::HierarchicalNSW<float> h(&space, m.n, strtoul(a[2], nullptr, 10), strtoul(a[3], nullptr, 10));
	std::vector<std::thread> threads;
	std::atomic<size_t> next{ 0 };

	for (unsigned long t = strtoul(a[4], nullptr, 10); t > 0; t--)
		threads.emplace_back([&] {
			for (size_t i; (i = next++) < m.n;)
				h.addPoint(m.v + i * m.dim, i);
		});
	for (auto &t : threads)
		t.join();
	say_build(m.n, clocks_since(from));
	h.saveIndex(a[5]);
}

static void search(hnswlib::AlgorithmInterface<float> &h, matrix m, size_t k, std::vector<uint32_t> &out)
{
	for (size_t i = 0; i < m.n; i++) {
		auto best = h.searchKnn(m.v + i * m.dim, k);

		for (size_t j = best.size(); j-- > 0; best.pop())
			out[i * k + j] = uint32_t(best.top().second);
	}
}

static void query(char **a)
{
	matrix m = matrix_read(a[1], strtoul(a[2], nullptr, 10));
	size_t k = strtoul(a[3], nullptr, 10);
	hnswlib::InnerProductSpace space(m.dim);
	hnswlib::HierarchicalNSW<float> h(&space, a[0]);
	std::vector<uint32_t> out(m.n * k, UINT32_MAX);

	for (char **ef = a + 5; *ef; ef++) {
		h.setEf(strtoul(*ef, nullptr, 10));
		if (ef == a + 5)
			search(h, m, k, out);
		clocks from = clocks_now();
		search(h, m, k, out);
		say_queries(strtol(*ef, nullptr, 10), m.n, clocks_since(from), recall_of(a[4], out.data(), m.n, k));
	}
}

static void once(char **a)
{
	matrix m = matrix_read(a[1], strtoul(a[2], nullptr, 10));
	size_t k = strtoul(a[3], nullptr, 10);
	double from = now();
	hnswlib::InnerProductSpace space(m.dim);
	hnswlib::HierarchicalNSW<float> h(&space, a[0]);
	std::vector<uint32_t> out(k, UINT32_MAX);

	h.setEf(strtoul(a[4], nullptr, 10));
	m.n = 1;
	search(h, m, k, out);
	printf("%.3f ms, peak %ld MiB, first %u\n", 1e3 * (now() - from), peak_mib(), out[0]);
}

static void truth(char **a)
{
	matrix m = matrix_read(a[0], strtoul(a[2], nullptr, 10));
	matrix queries = matrix_read(a[1], m.dim);
	size_t k = strtoul(a[3], nullptr, 10);
	hnswlib::InnerProductSpace space(m.dim);
	hnswlib::BruteforceSearch<float> scan(&space, m.n);
	std::vector<uint32_t> out(queries.n * k, UINT32_MAX);
	FILE *f = fopen(a[4], "wb");

	for (size_t i = 0; i < m.n; i++)
		scan.addPoint(m.v + i * m.dim, i);
	search(scan, queries, k, out);
	if (!f || fwrite(out.data(), k * sizeof(uint32_t), queries.n, f) != queries.n || fclose(f))
		die(a[4]);
}

int main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "build"))
		build(argv + 2);
	else if (argc >= 8 && !strcmp(argv[1], "query"))
		query(argv + 2);
	else if (argc == 7 && !strcmp(argv[1], "once"))
		once(argv + 2);
	else if (argc == 7 && !strcmp(argv[1], "truth"))
		truth(argv + 2);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_hnswlib.cc\n"), 2;
	return 0;
}
