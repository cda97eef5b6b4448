// ann_faiss.cc - FAISS's HNSW as Debian packages it: the other peer.
// LIBS: -lfaiss -llapack -lblas
//
//     ann_faiss build DATA DIM M EFC THREADS INDEX flat|sq8
//     ann_faiss query INDEX QUERIES DIM K TRUTH EF...
//
// Inner product over unit vectors, kept as f32 (flat) or in 8 bits a value (sq8);
// the same words as ann_hnswlib.cc.  Queries are asked one at a time on one thread.
#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <cstring>
#include <memory>
#include <vector>

#include "ann_data.h"

static std::unique_ptr<faiss::IndexHNSW> make(const char *storage, int dim, int m)
{
	if (!strcmp(storage, "flat"))
		return std::make_unique<faiss::IndexHNSWFlat>(dim, m, faiss::METRIC_INNER_PRODUCT);
	return std::make_unique<faiss::IndexHNSWSQ>(dim, faiss::ScalarQuantizer::QT_8bit, m, faiss::METRIC_INNER_PRODUCT);
}

static void build(char **a)
{
	matrix m = matrix_read(a[0], strtoul(a[1], nullptr, 10));
	clocks from = clocks_now();
	auto index = make(a[6], int(m.dim), int(strtoul(a[2], nullptr, 10)));

	omp_set_num_threads(int(strtol(a[4], nullptr, 10)));
	index->hnsw.efConstruction = int(strtol(a[3], nullptr, 10));
	index->train(faiss::Index::idx_t(m.n), m.v);
	index->add(faiss::Index::idx_t(m.n), m.v);
	say_build(m.n, clocks_since(from));
	faiss::write_index(index.get(), a[5]);
}

static void search(const faiss::Index &index, matrix m, size_t k, std::vector<uint32_t> &out)
{
	std::vector<faiss::Index::idx_t> rows(k);
	std::vector<float> distances(k);

	for (size_t i = 0; i < m.n; i++) {
		index.search(1, m.v + i * m.dim, faiss::Index::idx_t(k), distances.data(), rows.data());
		for (size_t j = 0; j < k; j++)
			out[i * k + j] = uint32_t(rows[j]);
	}
}

static void query(char **a)
{
	matrix m = matrix_read(a[1], strtoul(a[2], nullptr, 10));
	size_t k = strtoul(a[3], nullptr, 10);
	std::unique_ptr<faiss::Index> index(faiss::read_index(a[0]));
	std::vector<uint32_t> out(m.n * k);

	omp_set_num_threads(1);
	for (char **ef = a + 5; *ef; ef++) {
		dynamic_cast<faiss::IndexHNSW &>(*index).hnsw.efSearch = int(strtol(*ef, nullptr, 10));
		if (ef == a + 5)
			search(*index, m, k, out);
		clocks from = clocks_now();
		search(*index, m, k, out);
		say_queries(strtol(*ef, nullptr, 10), m.n, clocks_since(from), recall_of(a[4], out.data(), m.n, k));
	}
}

int main(int argc, char **argv)
{
	if (argc == 9 && !strcmp(argv[1], "build"))
		build(argv + 2);
	else if (argc >= 8 && !strcmp(argv[1], "query"))
		query(argv + 2);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_faiss.cc\n"), 2;
	return 0;
}
