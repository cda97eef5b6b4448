// hnswlib.cc - a program of the library hnswlib itself, the judge of what lh-index
// import and export make of its files.
//
//     hnswlib make SPACE DIM N M EF SEED FILE [STEP [DELETE...]]
//         an index of N random vectors; the label of the i-th is i * STEP; DELETE are labels
//     hnswlib dump SPACE DIM FILE
//         a line for each element: label, level, "deleted" or "live", vector
//     hnswlib search SPACE DIM FILE EF K        (queries: lines of numbers on stdin)
//         a line for each query: label=distance ...
//
// SPACE is l2 or ip; ip is also what hnswlib uses for cosine.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>

#include <hnswlib/hnswlib.h>

using Index = hnswlib::HierarchicalNSW<float>;

struct Space {
	std::unique_ptr<hnswlib::SpaceInterface<float>> of;
	size_t dim;

	Space(const std::string &name, size_t dim) : dim(dim)
	{
		if (name == "l2")
			of.reset(new hnswlib::L2Space(dim));
		else
			of.reset(new hnswlib::InnerProductSpace(dim));
	}
};

static void add(Index &index, const Space &space, size_t n, size_t step, unsigned seed)
{
	std::mt19937 random(seed);
	std::normal_distribution<float> value;
	std::vector<float> v(space.dim);

	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (float &x : v)
			sum += (double)(x = value(random)) * x;
		for (float &x : v)
			x /= (float)std::sqrt(sum);
		index.addPoint(v.data(), i * step);
	}
}

static void load(Index &index, Space &space, const char *file)
{
	index.num_deleted_ = 0;
	index.loadIndex(file, space.of.get());
}

static int make(Space &space, int argc, char **argv)
{
	size_t n = std::stoul(argv[4]), step = argc > 9 ? std::stoul(argv[9]) : 1;
	Index index(space.of.get(), n, std::stoul(argv[5]), std::stoul(argv[6]),
		    std::stoul(argv[7]));

	add(index, space, n, step, (unsigned)std::stoul(argv[7]));
	for (int i = 10; i < argc; i++)
		index.markDelete(std::stoul(argv[i]));
	index.saveIndex(argv[8]);
	return 0;
}

static int dump(Space &space, char **argv)
{
	Index index(space.of.get());

	load(index, space, argv[4]);
	for (size_t e = 0; e < index.cur_element_count; e++) {
		const float *v = (const float *)index.getDataByInternalId((unsigned)e);
		printf("%zu %d %s", index.getExternalLabel((unsigned)e), index.element_levels_[e],
		       index.isMarkedDeleted((unsigned)e) ? "deleted" : "live");
		for (size_t i = 0; i < space.dim; i++)
			printf(" %.9g", v[i]);
		printf("\n");
	}
	return 0;
}

static int search(Space &space, char **argv)
{
	Index index(space.of.get());
	std::string line;
	size_t k = std::stoul(argv[6]);

	load(index, space, argv[4]);
	index.setEf(std::stoul(argv[5]));
	while (std::getline(std::cin, line)) {
		std::vector<float> v(space.dim);
		std::istringstream in(line);
		for (float &x : v)
			in >> x;
		auto found = index.searchKnn(v.data(), k);
		std::vector<std::pair<float, size_t>> hits;
		for (; !found.empty(); found.pop())
			hits.push_back(found.top());
		for (size_t i = hits.size(); i-- > 0;)
			printf("%zu=%.9g ", hits[i].second, hits[i].first);
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	Space space(argv[2], std::stoul(argv[3]));
	std::string what = argv[1];

	if (what == "make")
		return make(space, argc, argv);
	if (what == "dump")
		return dump(space, argv);
	return what == "search" ? search(space, argv) : 2;
}
