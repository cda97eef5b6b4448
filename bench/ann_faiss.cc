// ann_faiss.cc - FAISS's HNSW (flat storage) as Debian packages it: the other peer.
// LIBS: -lfaiss -llapack -lblas
//
//     ann_faiss build DATA DIM M EFC THREADS INDEX
//     ann_faiss query INDEX QUERIES DIM K EF TRUTH ROUNDS
//
// Inner product over unit vectors; the same words as ann_hnswlib.cc.  Queries are
// asked one at a time on one thread.
#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <cstring>
#include <memory>
#include <vector>

#include "ann_data.h"

static void build(char **a)
{
	matrix m = matrix_read(a[0], strtoul(a[1], nullptr, 10));
	double from = now();
	faiss::IndexHNSWFlat index(int(m.dim), int(strtoul(a[2], nullptr, 10)), faiss::METRIC_INNER_PRODUCT);

	omp_set_num_threads(int(strtol(a[4], nullptr, 10)));
	index.hnsw.efConstruction = int(strtol(a[3], nullptr, 10));
	index.add(faiss::Index::idx_t(m.n), m.v);
	printf("%.1f rows/s, peak %ld MiB\n", double(m.n) / (now() - from), peak_mib());
	faiss::write_index(&index, a[5]);
}

static void query(char **a)
{
	matrix m = matrix_read(a[1], strtoul(a[2], nullptr, 10));
	size_t k = strtoul(a[3], nullptr, 10);
	std::unique_ptr<faiss::Index> index(faiss::read_index(a[0]));
	std::vector<faiss::Index::idx_t> rows(k);
	std::vector<float> distances(k);
	std::vector<uint32_t> out(m.n * k);

	omp_set_num_threads(1);
	dynamic_cast<faiss::IndexHNSW &>(*index).hnsw.efSearch = int(strtol(a[4], nullptr, 10));
	for (long rounds = strtol(a[6], nullptr, 10); rounds > 0; rounds--) {
		double from = now();

		for (size_t i = 0; i < m.n; i++) {
			index->search(1, m.v + i * m.dim, faiss::Index::idx_t(k), distances.data(), rows.data());
			for (size_t j = 0; j < k; j++)
				out[i * k + j] = uint32_t(rows[j]);
		}
		printf("%.1f queries/s\n", double(m.n) / (now() - from));
		fflush(stdout);
	}
	printf("recall %.4f, peak %ld MiB\n", recall_of(a[5], out.data(), m.n, k), peak_mib());
}

int main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "build"))
		build(argv + 2);
	else if (argc == 9 && !strcmp(argv[1], "query"))
		query(argv + 2);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_faiss.cc\n"), 2;
	return 0;
}
